// The round of contract-tests/sdk, made with the client that oapi-codegen generates from openapi.yaml.
// It takes the address of the service as its only argument and exits with 1 at the first surprise.
package main

//go:generate mkdir -p client
//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../openapi.yaml

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"sdk/client"
)

func main() {
	api, err := client.NewClientWithResponses(os.Args[1])
	succeeded(err)
	ctx := context.Background()
	todo, tag := createTwice(ctx, api)
	listTwoPages(ctx, api)
	tag = replaceAndPatch(ctx, api, todo, tag)
	tellErrorsApart(ctx, api, todo)
	remove(ctx, api, todo, tag)
}

// createTwice sends one request two times with the same idempotency key, and then another one.
func createTwice(ctx context.Context, api *client.ClientWithResponses) (*client.Todo, string) {
	key := uuid.NewString()
	params := &client.CreateTodoParams{IdempotencyKey: &key}
	body := client.NewTodo{Title: "Water the plants", Description: nullable.NewNullableWithValue("All of them")}
	created, err := api.CreateTodoWithResponse(ctx, params, body)
	succeeded(err)
	expect(created.JSON201 != nil, "create answers %s", created.Status())
	replayed, err := api.CreateTodoWithResponse(ctx, params, body)
	succeeded(err)
	expect(replayed.JSON201 != nil && replayed.JSON201.Id == created.JSON201.Id, "the replay created another todo")
	another, err := api.CreateTodoWithResponse(ctx, nil, client.NewTodo{Title: "Feed the cat"})
	succeeded(err)
	expect(another.JSON201 != nil && another.JSON201.Id != created.JSON201.Id, "no second todo")
	return created.JSON201, created.Headers201.ETag
}

// listTwoPages follows the next link of a page of one.
func listTwoPages(ctx context.Context, api *client.ClientWithResponses) {
	one := client.Limit(1)
	descending := client.TodoSortCreatedAtDescending
	first, err := api.ListTodosWithResponse(ctx, &client.ListTodosParams{Limit: &one, Sort: &descending})
	succeeded(err)
	expect(first.JSON200 != nil && len(*first.JSON200) == 1, "the first page answers %s", first.Status())
	_, rest, _ := strings.Cut(*first.Headers200.Link, "<")
	address, _, _ := strings.Cut(rest, ">")
	next, err := url.Parse(address)
	succeeded(err)
	cursor := next.Query().Get("cursor")
	second, err := api.ListTodosWithResponse(ctx,
		&client.ListTodosParams{Limit: &one, Sort: &descending, Cursor: &cursor})
	succeeded(err)
	expect(second.JSON200 != nil && len(*second.JSON200) == 1, "the second page answers %s", second.Status())
	expect((*first.JSON200)[0].Id != (*second.JSON200)[0].Id, "both pages hold the same todo")
}

// replaceAndPatch replaces the todo and then clears its description; it returns the last entity tag.
func replaceAndPatch(ctx context.Context, api *client.ClientWithResponses, todo *client.Todo, tag string) string {
	status := client.TodoStatusInProgress
	replacement := client.TodoReplacement{
		Title: "Water the cactus", Description: nullable.NewNullableWithValue("A little"), Status: &status,
	}
	replaced, err := api.ReplaceTodoWithResponse(ctx, todo.Id, &client.ReplaceTodoParams{IfMatch: &tag}, replacement)
	succeeded(err)
	expect(replaced.JSON200 != nil && replaced.JSON200.Status == status, "replace answers %s", replaced.Status())
	expect(replaced.Headers200.ETag != tag, "the entity tag did not change")
	patch := client.TodoMergePatch{Description: nullable.NewNullNullable[string]()}
	patched, err := api.UpdateTodoWithApplicationMergePatchPlusJSONBodyWithResponse(
		ctx, todo.Id, &client.UpdateTodoParams{IfMatch: &replaced.Headers200.ETag}, patch)
	succeeded(err)
	expect(patched.JSON200 != nil && patched.JSON200.Description.IsNull(), "the description is still there")
	expect(patched.JSON200.Title == replacement.Title, "the patch changed the title")
	return patched.Headers200.ETag
}

// tellErrorsApart meets a todo that does not exist and an entity tag that is out of date.
func tellErrorsApart(ctx context.Context, api *client.ClientWithResponses, todo *client.Todo) {
	missing, err := api.GetTodoWithResponse(ctx, uuid.New(), nil)
	succeeded(err)
	expect(missing.ApplicationproblemJSON404 != nil, "a missing todo answers %s", missing.Status())
	stale := client.IfMatch(`"1"`)
	lost, err := api.DeleteTodoWithResponse(ctx, todo.Id, &client.DeleteTodoParams{IfMatch: &stale})
	succeeded(err)
	expect(lost.ApplicationproblemJSON412 != nil && lost.ApplicationproblemJSON404 == nil,
		"an old entity tag answers %s", lost.Status())
	expect(lost.ApplicationproblemJSON412.Status == http.StatusPreconditionFailed, "the problem has another status")
}

func remove(ctx context.Context, api *client.ClientWithResponses, todo *client.Todo, tag string) {
	deleted, err := api.DeleteTodoWithResponse(ctx, todo.Id, &client.DeleteTodoParams{IfMatch: &tag})
	succeeded(err)
	expect(deleted.StatusCode() == http.StatusNoContent, "delete answers %s", deleted.Status())
}

func succeeded(err error) {
	expect(err == nil, "%v", err)
}

func expect(holds bool, format string, arguments ...any) {
	if !holds {
		fmt.Fprintf(os.Stderr, format+"\n", arguments...)
		os.Exit(1)
	}
}
