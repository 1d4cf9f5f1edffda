// Written by `npm run generate` from openapi.yaml. Do not edit.
export interface paths {
    "/todos": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List todos
         * @description One page of the todos that pass all given filters, in the given order. Ties are broken by id in the direction of
         *     the sort; todos without a value come last in both directions. The `next` relation in `Link` leads to the
         *     following page; the last page has none.
         */
        get: operations["listTodos"];
        put?: never;
        /**
         * Create a todo
         * @description Stores a new todo. What is left out gets its default: no description, no deadline, no order, and `pending`.
         *     `completed: true` means `status: completed`; giving both in contradiction is `422`.
         *
         *     With an `Idempotency-Key` the request can be sent again without fear: the same key with the same JSON value
         *     gets the first answer again and creates nothing.
         */
        post: operations["createTodo"];
        /**
         * Delete all todos, or all completed ones
         * @description Deletes every todo; with `completed=true` only the completed ones. There is no way back.
         */
        delete: operations["deleteTodos"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/todos/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The todo's id.
                 * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
                 */
                id: components["parameters"]["TodoId"];
            };
            cookie?: never;
        };
        /**
         * Read a todo
         * @description The todo and its entity tag. With `If-None-Match`, `304` without a body when the client's copy is still good.
         */
        get: operations["getTodo"];
        /**
         * Replace a todo
         * @description Replaces all writable fields; what is left out gets its default, as on create. `id`, `url` and `createdAt` stay.
         *     PUT does not create: an unknown id is `404`.
         */
        put: operations["replaceTodo"];
        post?: never;
        /**
         * Delete a todo
         * @description Deletes the todo. There is no way back; a second delete is `404`.
         */
        delete: operations["deleteTodo"];
        options?: never;
        head?: never;
        /**
         * Update some fields of a todo
         * @description A JSON merge patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)): fields that are absent stay, `null` clears
         *     `description`, `deadline` and `order` (and is `400` elsewhere), other values are set. `completed: false` turns a
         *     `completed` todo into `pending` and leaves the other statuses alone. An empty patch changes nothing, entity tag
         *     and `updatedAt` included.
         */
        patch: operations["updateTodo"];
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive?
         * @description Answers as long as the process can answer at all. It knows nothing of the database and is never refused under load, so
         *     that a load balancer does not replace a service that only waits for its database.
         */
        get: operations["getLiveness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Can the service do its work?
         * @description Healthy when the database answers, can be written to and has this version's migrations. `503` otherwise, and from the
         *     moment on in which the service was told to stop.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description What is to be done. Kept as sent; not only white space. Length is counted in Unicode code points.
         * @example Water the plants
         */
        Title: string;
        /**
         * @description Anything more there is to say.
         * @example The ficus takes half a litre, the cactus nothing.
         */
        Description: string | null;
        /**
         * Format: date-time
         * @description A moment, as RFC 3339 writes it, with any offset from UTC. Anything finer than a millisecond is cut off.
         * @example 2030-06-01T09:00:00+02:00
         */
        Instant: string;
        /**
         * Format: date-time
         * @description When it must be done. Any offset comes in, UTC with milliseconds goes out; anything finer is cut off.
         * @example 2030-06-01T07:00:00.000Z
         */
        Deadline: string | null;
        /**
         * @description How far it is.
         * @example pending
         * @enum {string}
         */
        TodoStatus: "pending" | "in_progress" | "completed";
        /**
         * @description A field to sort by; a leading `-` means descending.
         * @default createdAt
         * @example createdAt
         * @enum {string}
         */
        TodoSort: "createdAt" | "-createdAt" | "deadline" | "-deadline" | "order" | "-order";
        /**
         * @description The same fact as `status` being `completed`, for clients that know no status.
         * @example false
         */
        Completed: boolean;
        /**
         * Format: int32
         * @description A place in an order of the client's own.
         * @example 10
         */
        Order: number | null;
        /**
         * Format: date-time
         * @description UTC, with milliseconds.
         * @example 2026-11-24T22:18:55.150Z
         */
        Timestamp: string;
        /** @description A todo as the service keeps it. */
        Todo: {
            /**
             * Format: uuid
             * @description Made by the service (UUID version 7), so that ids sort in order of creation. Read-only.
             * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
             */
            id: string;
            title: components["schemas"]["Title"];
            description: components["schemas"]["Description"];
            /**
             * Format: date-time
             * @description When it must be done, in UTC with milliseconds.
             * @example 2030-06-01T07:00:00.000Z
             */
            deadline: string | null;
            status: components["schemas"]["TodoStatus"];
            completed: components["schemas"]["Completed"];
            order: components["schemas"]["Order"];
            /**
             * Format: uri
             * @description Where this todo is read. Read-only.
             * @example http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
             */
            url: string;
            createdAt: components["schemas"]["Timestamp"];
            updatedAt: components["schemas"]["Timestamp"];
        };
        /** @description A page of todos. */
        TodoPage: components["schemas"]["Todo"][];
        /** @description A todo to create. `status` is `pending` unless it or `completed` says otherwise. */
        NewTodo: {
            title: components["schemas"]["Title"];
            description?: components["schemas"]["Description"];
            deadline?: components["schemas"]["Deadline"];
            status?: components["schemas"]["TodoStatus"];
            completed?: components["schemas"]["Completed"];
            order?: components["schemas"]["Order"];
        };
        /** @description The whole new content of a todo. What is left out gets its default, as on create. */
        TodoReplacement: {
            title: components["schemas"]["Title"];
            description?: components["schemas"]["Description"];
            deadline?: components["schemas"]["Deadline"];
            status?: components["schemas"]["TodoStatus"];
            completed?: components["schemas"]["Completed"];
            order?: components["schemas"]["Order"];
        };
        /** @description The fields of a todo to change, as a JSON merge patch. */
        TodoMergePatch: {
            title?: components["schemas"]["Title"];
            description?: components["schemas"]["Description"];
            deadline?: components["schemas"]["Deadline"];
            status?: components["schemas"]["TodoStatus"];
            completed?: components["schemas"]["Completed"];
            order?: components["schemas"]["Order"];
        };
        /** @description The same as a JSON merge patch, for clients that can only send `application/json`. */
        TodoPatch: {
            title?: components["schemas"]["Title"];
            description?: components["schemas"]["Description"];
            deadline?: components["schemas"]["Deadline"];
            status?: components["schemas"]["TodoStatus"];
            completed?: components["schemas"]["Completed"];
            order?: components["schemas"]["Order"];
        };
        /**
         * @description A list of entity tags, or `*` (RFC 9110, sections 8.8.3 and 13.1).
         * @example "1"
         */
        EntityTags: string;
        /** @description The state of the service. */
        Health: {
            /**
             * @description Always the same word.
             * @example healthy
             * @enum {string}
             */
            status: "healthy";
        };
        /** @description Problem details (RFC 9457). */
        Problem: {
            /**
             * Format: uri
             * @description What kind of problem it is: `about:blank` where the status says all, or
             *     `urn:problem-type:todo:idempotency-key-reused`. New kinds may come; treat an unknown one as its status says.
             * @example about:blank
             */
            type: string;
            /**
             * @description The name of the status.
             * @example Bad Request
             */
            title: string;
            /**
             * Format: int32
             * @description The HTTP status.
             * @example 400
             */
            status: number;
            /**
             * @description What is wrong with this request, for people.
             * @example The request has 2 faults.
             */
            detail: string;
            /**
             * @description The same as in `X-Request-Id`.
             * @example 01932c07-209c-7d4c-9d3e-1b2c3d4e5f60
             */
            requestId: string;
            /** @description All violations of the contract, at most 100. */
            errors?: components["schemas"]["Violation"][];
        };
        /** @description One thing that is wrong with the request, and where it is. */
        Violation: {
            /**
             * Format: json-pointer
             * @description Where in the body, as a JSON Pointer (RFC 6901); empty for the body as a whole.
             * @example /title
             */
            pointer?: string;
            /**
             * @description The name of the path or query parameter.
             * @example limit
             */
            parameter?: string;
            /**
             * @description The name of the header.
             * @example If-Match
             */
            header?: string;
            /**
             * @description What is wrong there.
             * @example must have at least 1 character
             */
            detail: string;
        };
    };
    responses: {
        /** @description The todo. */
        Todo: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                "Cache-Control": components["headers"]["CacheControl"];
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Todo"];
            };
        };
        /** @description Done; there is nothing to say. */
        Deleted: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Yes. */
        Healthy: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Health"];
            };
        };
        /** @description The request breaks the contract; `errors` says where and how. */
        BadRequest: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Bad Request",
                 *       "status": 400,
                 *       "detail": "The request has 2 faults.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60",
                 *       "errors": [
                 *         {
                 *           "pointer": "/title",
                 *           "detail": "must have at least 1 character"
                 *         },
                 *         {
                 *           "pointer": "/colour",
                 *           "detail": "is not a known field"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such todo. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Not Found",
                 *       "status": 404,
                 *       "detail": "There is no todo 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The todo has none of the entity tags in `If-Match`; nothing was changed. Read it again, then decide. */
        PreconditionFailed: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Precondition Failed",
                 *       "status": 412,
                 *       "detail": "The todo has changed since; its entity tag is none of those in If-Match.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is larger than the service takes. */
        ContentTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Content Too Large",
                 *       "status": 413,
                 *       "detail": "The body has more than 102400 bytes.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body has a media type, character set or encoding that the operation does not take. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Unsupported Media Type",
                 *       "status": 415,
                 *       "detail": "The body must be application/json.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The request is well formed but contradicts itself (`status` and `completed`), or, on create, an earlier request with the
         *     same `Idempotency-Key` (then `type` is `urn:problem-type:todo:idempotency-key-reused`).
         */
        UnprocessableContent: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Unprocessable Content",
                 *       "status": 422,
                 *       "detail": "The fields status and completed contradict each other.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60",
                 *       "errors": [
                 *         {
                 *           "pointer": "/completed",
                 *           "detail": "contradicts status"
                 *         }
                 *       ]
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A fault of the service. It is in the service's log under the request's id. */
        InternalServerError: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Internal Server Error",
                 *       "status": 500,
                 *       "detail": "The service failed to answer. The fault is in its log under this request's id.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service or its database cannot answer now. Nothing was changed unless the connection broke after the change was sent. */
        ServiceUnavailable: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                /**
                 * @example {
                 *       "type": "about:blank",
                 *       "title": "Service Unavailable",
                 *       "status": 503,
                 *       "detail": "The database cannot be used now. Try again later.",
                 *       "requestId": "01932c07-209c-7d4c-9d3e-1b2c3d4e5f60"
                 *     }
                 */
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description The todo's id.
         * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
         */
        TodoId: string;
        /**
         * @description How many todos a page has at the most.
         * @example 20
         */
        Limit: number;
        /**
         * @description Where the page begins: opaque, taken from the `next` link. It belongs to the sort and the filters it was made
         *     for; `limit` may change.
         * @example WyItY3JlYXRlZEF0IixudWxsLCIwMTkzMmMwNy0yMDljLTdkNGMtOWQzZS0wZjFhMmIzYzRkNWUiXQ
         */
        Cursor: string;
        /**
         * @description The order of the list; a leading `-` means descending.
         * @example createdAt
         */
        Sort: components["schemas"]["TodoSort"];
        /**
         * @description Only todos of this status; given several times, of any of these.
         * @example [
         *       "pending",
         *       "in_progress"
         *     ]
         */
        StatusFilter: components["schemas"]["TodoStatus"][];
        /**
         * @description Only completed todos (`true`), or only those that are not (`false`).
         * @example false
         */
        CompletedFilter: boolean;
        /**
         * @description Only todos whose deadline is earlier than this. Write a `+` as `%2B`.
         * @example 2030-01-01T00:00:00Z
         */
        DeadlineBefore: components["schemas"]["Instant"];
        /**
         * @description Only todos whose deadline is later than this. Write a `+` as `%2B`.
         * @example 2020-01-01T00:00:00Z
         */
        DeadlineAfter: components["schemas"]["Instant"];
        /**
         * @description Given, only the completed todos are deleted. `true` is its only value.
         * @example true
         */
        OnlyCompleted: true;
        /**
         * @description A key of the client's own for this one request, for example a random UUID
         *     ([draft-ietf-httpapi-idempotency-key-header](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).
         * @example 5f3a9c1e-6a57-4c0e-8a51-2f6f0c1d9b7e
         */
        IdempotencyKey: string;
        /**
         * @description The entity tags one of which the todo must have for the request to be carried out, or `*`.
         * @example "1"
         */
        IfMatch: components["schemas"]["EntityTags"];
        /**
         * @description The entity tags that the client knows, or `*`; if the todo has one of them, the answer is `304`.
         * @example "0"
         */
        IfNoneMatch: components["schemas"]["EntityTags"];
    };
    requestBodies: never;
    headers: {
        /**
         * @description The id of this request, also in the service's log.
         * @example 01932c07-209c-7d4c-9d3e-1b2c3d4e5f60
         */
        RequestId: string;
        /**
         * @description A copy may be kept, but must be checked with the service before it is used.
         * @example no-cache
         */
        CacheControl: "no-cache";
        /**
         * @description The strong entity tag of the todo; it changes with every change.
         * @example "1"
         */
        ETag: string;
        /**
         * @description Where the todo is read; the same as its `url`.
         * @example http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
         */
        Location: string;
        /**
         * @description How many seconds to wait before trying again.
         * @example 1
         */
        RetryAfter: number;
    };
    pathItems: never;
}
export type Title = components['schemas']['Title'];
export type Description = components['schemas']['Description'];
export type Instant = components['schemas']['Instant'];
export type Deadline = components['schemas']['Deadline'];
export type TodoStatus = components['schemas']['TodoStatus'];
export type TodoSort = components['schemas']['TodoSort'];
export type Completed = components['schemas']['Completed'];
export type Order = components['schemas']['Order'];
export type Timestamp = components['schemas']['Timestamp'];
export type Todo = components['schemas']['Todo'];
export type TodoPage = components['schemas']['TodoPage'];
export type NewTodo = components['schemas']['NewTodo'];
export type TodoReplacement = components['schemas']['TodoReplacement'];
export type TodoMergePatch = components['schemas']['TodoMergePatch'];
export type TodoPatch = components['schemas']['TodoPatch'];
export type EntityTags = components['schemas']['EntityTags'];
export type Health = components['schemas']['Health'];
export type Problem = components['schemas']['Problem'];
export type Violation = components['schemas']['Violation'];
export type ResponseTodo = components['responses']['Todo'];
export type ResponseDeleted = components['responses']['Deleted'];
export type ResponseHealthy = components['responses']['Healthy'];
export type ResponseBadRequest = components['responses']['BadRequest'];
export type ResponseNotFound = components['responses']['NotFound'];
export type ResponsePreconditionFailed = components['responses']['PreconditionFailed'];
export type ResponseContentTooLarge = components['responses']['ContentTooLarge'];
export type ResponseUnsupportedMediaType = components['responses']['UnsupportedMediaType'];
export type ResponseUnprocessableContent = components['responses']['UnprocessableContent'];
export type ResponseInternalServerError = components['responses']['InternalServerError'];
export type ResponseServiceUnavailable = components['responses']['ServiceUnavailable'];
export type ParameterTodoId = components['parameters']['TodoId'];
export type ParameterLimit = components['parameters']['Limit'];
export type ParameterCursor = components['parameters']['Cursor'];
export type ParameterSort = components['parameters']['Sort'];
export type ParameterStatusFilter = components['parameters']['StatusFilter'];
export type ParameterCompletedFilter = components['parameters']['CompletedFilter'];
export type ParameterDeadlineBefore = components['parameters']['DeadlineBefore'];
export type ParameterDeadlineAfter = components['parameters']['DeadlineAfter'];
export type ParameterOnlyCompleted = components['parameters']['OnlyCompleted'];
export type ParameterIdempotencyKey = components['parameters']['IdempotencyKey'];
export type ParameterIfMatch = components['parameters']['IfMatch'];
export type ParameterIfNoneMatch = components['parameters']['IfNoneMatch'];
export type HeaderRequestId = components['headers']['RequestId'];
export type HeaderCacheControl = components['headers']['CacheControl'];
export type HeaderETag = components['headers']['ETag'];
export type HeaderLocation = components['headers']['Location'];
export type HeaderRetryAfter = components['headers']['RetryAfter'];
export type $defs = Record<string, never>;
export interface operations {
    listTodos: {
        parameters: {
            query?: {
                /**
                 * @description How many todos a page has at the most.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /**
                 * @description Where the page begins: opaque, taken from the `next` link. It belongs to the sort and the filters it was made
                 *     for; `limit` may change.
                 * @example WyItY3JlYXRlZEF0IixudWxsLCIwMTkzMmMwNy0yMDljLTdkNGMtOWQzZS0wZjFhMmIzYzRkNWUiXQ
                 */
                cursor?: components["parameters"]["Cursor"];
                /**
                 * @description The order of the list; a leading `-` means descending.
                 * @example createdAt
                 */
                sort?: components["parameters"]["Sort"];
                /**
                 * @description Only todos of this status; given several times, of any of these.
                 * @example [
                 *       "pending",
                 *       "in_progress"
                 *     ]
                 */
                status?: components["parameters"]["StatusFilter"];
                /**
                 * @description Only completed todos (`true`), or only those that are not (`false`).
                 * @example false
                 */
                completed?: components["parameters"]["CompletedFilter"];
                /**
                 * @description Only todos whose deadline is earlier than this. Write a `+` as `%2B`.
                 * @example 2030-01-01T00:00:00Z
                 */
                deadlineBefore?: components["parameters"]["DeadlineBefore"];
                /**
                 * @description Only todos whose deadline is later than this. Write a `+` as `%2B`.
                 * @example 2020-01-01T00:00:00Z
                 */
                deadlineAfter?: components["parameters"]["DeadlineAfter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of todos, perhaps empty. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    /**
                     * @description The `next` page, an absolute address with the whole query. Absent on the last page.
                     * @example <http://localhost:3000/todos?limit=1&cursor=WyJjcmVhdGVkQXQiXQ>; rel="next"
                     */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TodoPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    createTodo: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A key of the client's own for this one request, for example a random UUID
                 *     ([draft-ietf-httpapi-idempotency-key-header](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).
                 * @example 5f3a9c1e-6a57-4c0e-8a51-2f6f0c1d9b7e
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description The todo to create. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewTodo"];
            };
        };
        responses: {
            /** @description The todo as it was stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Todo"];
                };
            };
            400: components["responses"]["BadRequest"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableContent"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    deleteTodos: {
        parameters: {
            query?: {
                /**
                 * @description Given, only the completed todos are deleted. `true` is its only value.
                 * @example true
                 */
                completed?: components["parameters"]["OnlyCompleted"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["Deleted"];
            400: components["responses"]["BadRequest"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    getTodo: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The entity tags that the client knows, or `*`; if the todo has one of them, the answer is `304`.
                 * @example "0"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description The todo's id.
                 * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
                 */
                id: components["parameters"]["TodoId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Todo"];
            /** @description The todo still has the entity tag that the client knows. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["CacheControl"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    replaceTodo: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The entity tags one of which the todo must have for the request to be carried out, or `*`.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The todo's id.
                 * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
                 */
                id: components["parameters"]["TodoId"];
            };
            cookie?: never;
        };
        /** @description The todo's new content, whole. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["TodoReplacement"];
            };
        };
        responses: {
            200: components["responses"]["Todo"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableContent"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    deleteTodo: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The entity tags one of which the todo must have for the request to be carried out, or `*`.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The todo's id.
                 * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
                 */
                id: components["parameters"]["TodoId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: components["responses"]["Deleted"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    updateTodo: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The entity tags one of which the todo must have for the request to be carried out, or `*`.
                 * @example "1"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The todo's id.
                 * @example 01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e
                 */
                id: components["parameters"]["TodoId"];
            };
            cookie?: never;
        };
        /** @description The fields to change. */
        requestBody: {
            content: {
                "application/merge-patch+json": components["schemas"]["TodoMergePatch"];
                "application/json": components["schemas"]["TodoPatch"];
            };
        };
        responses: {
            200: components["responses"]["Todo"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["ContentTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["UnprocessableContent"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    getLiveness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Healthy"];
            400: components["responses"]["BadRequest"];
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Healthy"];
            400: components["responses"]["BadRequest"];
            500: components["responses"]["InternalServerError"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
}

/** The parameters of each operation that have a value even when the client sends none. */
export interface DefaultedParameters {
    listTodos: 'limit' | 'sort';
    createTodo: never;
    deleteTodos: never;
    getTodo: never;
    replaceTodo: never;
    updateTodo: never;
    deleteTodo: never;
    getLiveness: never;
    getReadiness: never;
}
