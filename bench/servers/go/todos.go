package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type todo struct {
	ID          uuid.UUID `json:"id"`
	Title       string    `json:"title"`
	Description *string   `json:"description"`
	Deadline    *instant  `json:"deadline"`
	Status      string    `json:"status"`
	Completed   bool      `json:"completed"`
	Order       *int32    `json:"order"`
	URL         string    `json:"url"`
	CreatedAt   instant   `json:"createdAt"`
	UpdatedAt   instant   `json:"updatedAt"`
}

// A time in UTC with milliseconds.
type instant time.Time

func (i instant) MarshalJSON() ([]byte, error) {
	return time.Time(i).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

type store struct {
	pool      *pgxpool.Pool
	pageSQL   string
	createSQL string
}

var statuses = []string{"pending", "in_progress", "completed"}

const pageSize = 20

// The one list that PAGE_SQL is for.
func (s store) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit, status := pageSize, statuses[0]
	for name, values := range query {
		var err error
		switch value := values[0]; {
		case name == "limit":
			limit, err = strconv.Atoi(value)
			if err == nil && (limit < 1 || limit > pageSize) {
				err = fmt.Errorf("is not from 1 to %d", pageSize)
			}
		case name == "status" && slices.Contains(statuses, value):
			status = value
		case name != "sort" || value != "-deadline":
			err = fmt.Errorf("cannot be %q", value)
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("The parameter %s: %v.", name, err))
			return
		}
	}
	rows, err := s.pool.Query(r.Context(), s.pageSQL, []string{status})
	if err != nil {
		fail(w, r, err)
		return
	}
	origin := "http://" + r.Host
	todos, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (todo, error) { return scan(row, origin) })
	if err != nil {
		fail(w, r, err)
		return
	}
	if len(todos) > limit {
		todos = todos[:limit]
		query.Set("cursor", cursorAfter(todos[limit-1], status))
		w.Header().Set("Link", fmt.Sprintf(`<%s/todos?%s>; rel="next"`, origin, query.Encode()))
	}
	answer(w, http.StatusOK, todos)
}

func scan(row pgx.CollectableRow, origin string) (todo, error) {
	var t todo
	var version int64
	var created, updated time.Time
	var deadline *time.Time
	err := row.Scan(&t.ID, &version, &t.Title, &t.Description, &deadline, &t.Status, &t.Order, &created, &updated)
	t.Deadline, t.CreatedAt, t.UpdatedAt = (*instant)(deadline), instant(created), instant(updated)
	t.Completed = t.Status == "completed"
	t.URL = origin + "/todos/" + t.ID.String()
	return t, err
}

// The service's own form of a cursor: the list that it belongs to, and the last todo of the page.
func cursorAfter(last todo, status string) string {
	list, _ := json.Marshal([]any{"deadline", true, []string{status}, nil, nil})
	hash := sha256.Sum256(list)
	fingerprint := base64.RawURLEncoding.EncodeToString(hash[:])[:12]
	cursor, _ := json.Marshal([]any{fingerprint, last.Deadline, last.ID})
	return base64.RawURLEncoding.EncodeToString(cursor)
}

const bodyLimit = 100 << 10

type newTodo struct {
	Title       string  `json:"title"`
	Description *string `json:"description"`
	Deadline    *string `json:"deadline"`
	Order       *int32  `json:"order"`
}

func (s store) create(w http.ResponseWriter, r *http.Request) {
	var body newTodo
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	made, fault := body.made()
	if fault != "" {
		refuse(w, http.StatusBadRequest, fault)
		return
	}
	made.URL = "http://" + r.Host + "/todos/" + made.ID.String()
	_, err := s.pool.Exec(r.Context(), s.createSQL, made.ID, made.Title, made.Description,
		(*time.Time)(made.Deadline), made.Status, made.Order, time.Time(made.UpdatedAt))
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("ETag", `"1"`)
	w.Header().Set("Location", made.URL)
	answer(w, http.StatusCreated, made)
}

// The todo that a body asks for, or what is wrong with it.
func (b newTodo) made() (todo, string) {
	t := todo{ID: uuid.Must(uuid.NewV7()), Title: b.Title, Description: b.Description, Status: statuses[0], Order: b.Order}
	if strings.TrimSpace(b.Title) == "" || utf8.RuneCountInString(b.Title) > 200 {
		return t, "The title needs 1 to 200 characters."
	}
	if b.Description != nil && utf8.RuneCountInString(*b.Description) > 4000 {
		return t, "The description has more than 4000 characters."
	}
	if b.Deadline != nil {
		deadline, err := time.Parse(time.RFC3339, *b.Deadline)
		if err != nil {
			return t, "The deadline is no time of RFC 3339."
		}
		t.Deadline = (*instant)(&deadline)
	}
	seconds, nanoseconds := t.ID.Time().UnixTime()
	created := instant(time.Unix(seconds, nanoseconds).Truncate(time.Millisecond))
	t.CreatedAt, t.UpdatedAt = created, created
	return t, ""
}
