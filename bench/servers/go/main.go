// net/http and a pool of pgx, as their documentation teaches: what one would write in Go for the two operations of the
// overload. Nothing is refused for want of capacity. The statements are the service's own, given in PAGE_SQL (the list by
// deadline, the latest first, of one status) and CREATE_SQL.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL") + "?pool_max_conns=" + os.Getenv("POOL_SIZE"))
	if err != nil {
		log.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	store := store{pool, os.Getenv("PAGE_SQL"), os.Getenv("CREATE_SQL")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /todos", store.list)
	mux.HandleFunc("POST /todos", store.create)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "healthy"})
	})
	logger := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), logged(logger, mux)))
}

// What every answer carries.
var everywhere = map[string]string{
	"Access-Control-Allow-Origin":   "*",
	"Access-Control-Expose-Headers": os.Getenv("EXPOSED_HEADERS"),
	"Cache-Control":                 "no-cache",
	"Content-Security-Policy":       "default-src 'none';frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":    "same-origin",
	"Cross-Origin-Resource-Policy":  "cross-origin",
	"Origin-Agent-Cluster":          "?1",
	"Referrer-Policy":               "no-referrer",
	"Strict-Transport-Security":     "max-age=31536000; includeSubDomains",
	"X-Content-Type-Options":        "nosniff",
	"X-Dns-Prefetch-Control":        "off",
	"X-Download-Options":            "noopen",
	"X-Frame-Options":               "SAMEORIGIN",
	"X-Xss-Protection":              "0",

	"X-Permitted-Cross-Domain-Policies": "none",
}

// Keeps the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func logged(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := uuid.NewString()
		header := w.Header()
		for name, value := range everywhere {
			header.Set(name, value)
		}
		header.Set("X-Request-Id", id)
		recorder := &recorder{w, http.StatusOK}
		next.ServeHTTP(recorder, r)
		logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("requestId", id), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", recorder.status), slog.Duration("duration", time.Since(start)))
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	send(w, status, "application/json", body)
}

// A problem as RFC 9457 has it.
func refuse(w http.ResponseWriter, status int, detail string) {
	problem := map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
		"requestId": w.Header().Get("X-Request-Id"),
	}
	send(w, status, "application/problem+json", problem)
}

func send(w http.ResponseWriter, status int, contentType string, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		log.Fatal(err) // a fault of this program
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	w.Write(content) // whoever does not read it has left
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(r.Context().Err(), context.Canceled) {
		return // the client left
	}
	slog.Error("request failed", "error", err)
	refuse(w, http.StatusInternalServerError, "The service failed to answer.")
}
