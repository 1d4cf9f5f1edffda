import java.net.URI;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.UUID;
import todo.client.ApiClient;
import todo.client.ApiException;
import todo.client.ApiResponse;
import todo.client.api.TodosApi;
import todo.client.model.NewTodo;
import todo.client.model.Todo;
import todo.client.model.TodoMergePatch;
import todo.client.model.TodoReplacement;
import todo.client.model.TodoSort;
import todo.client.model.TodoStatus;

/**
 * The round of contract-tests/sdk, made with the client that openapi-generator generates from openapi.yaml. It takes
 * the address of the service as its only argument and ends with an exception at the first surprise.
 */
public final class Round {
  private final TodosApi api;

  private Round(String service) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(service);
    api = new TodosApi(client);
  }

  public static void main(String[] arguments) throws ApiException {
    new Round(arguments[0]).run();
  }

  private void run() throws ApiException {
    ApiResponse<Todo> created = createTwice();
    UUID id = created.getData().getId();
    listTwoPages();
    String tag = replaceAndPatch(id, header(created, "ETag"));
    tellErrorsApart(id);
    expect(204, api.deleteTodoWithHttpInfo(id, tag).getStatusCode());
  }

  /** Sends one request two times with the same idempotency key, and then another one. */
  private ApiResponse<Todo> createTwice() throws ApiException {
    String key = UUID.randomUUID().toString();
    NewTodo body = new NewTodo().title("Water the plants").description("All of them");
    ApiResponse<Todo> created = api.createTodoWithHttpInfo(body, key);
    expect(created.getData(), api.createTodo(body, key));
    Todo another = api.createTodo(new NewTodo().title("Feed the cat"), null);
    expect(false, another.getId().equals(created.getData().getId()));
    return created;
  }

  /** Follows the next link of a page of one. */
  private void listTwoPages() throws ApiException {
    ApiResponse<List<Todo>> first =
        api.listTodosWithHttpInfo(1, null, TodoSort.CreatedAtDescending, null, null, null, null);
    String link = header(first, "Link");
    String query = URI.create(link.substring(1, link.indexOf('>'))).getQuery();
    String cursor = List.of(query.split("&")).stream()
        .filter(parameter -> parameter.startsWith("cursor="))
        .map(parameter -> parameter.substring("cursor=".length()))
        .findFirst().orElseThrow();
    List<Todo> second = api.listTodos(1, cursor, TodoSort.CreatedAtDescending, null, null, null, null);
    expect(2, first.getData().size() + second.size());
    expect(false, first.getData().get(0).getId().equals(second.get(0).getId()));
  }

  /** Replaces the todo and then clears its description; returns the last entity tag. */
  private String replaceAndPatch(UUID id, String tag) throws ApiException {
    TodoReplacement replacement =
        new TodoReplacement().title("Water the cactus").description("A little").status(TodoStatus.IN_PROGRESS);
    ApiResponse<Todo> replaced = api.replaceTodoWithHttpInfo(id, replacement, tag);
    expect(TodoStatus.IN_PROGRESS, replaced.getData().getStatus());
    expect(false, header(replaced, "ETag").equals(tag));
    ApiResponse<Todo> patched =
        api.updateTodoWithHttpInfo(id, new TodoMergePatch().description(null), header(replaced, "ETag"));
    expect(null, patched.getData().getDescription());
    expect("Water the cactus", patched.getData().getTitle());
    return header(patched, "ETag");
  }

  /** Meets a todo that does not exist and an entity tag that is out of date. */
  private void tellErrorsApart(UUID id) {
    expect(404, failure(() -> api.getTodo(UUID.randomUUID(), null)).getCode());
    expect(412, failure(() -> api.deleteTodoWithHttpInfo(id, "\"1\"")).getCode());
  }

  private interface Call {
    void send() throws ApiException;
  }

  private static ApiException failure(Call call) {
    try {
      call.send();
    } catch (ApiException failure) {
      return failure;
    }
    throw new AssertionError("The service accepted what it had to refuse.");
  }

  private static String header(ApiResponse<?> response, String name) {
    return HttpHeaders.of(response.getHeaders(), (key, value) -> true).firstValue(name).orElseThrow();
  }

  private static void expect(Object expected, Object found) {
    if (expected == null ? found != null : !expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }
}
