package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	url := "http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e"
	body := strings.NewReader(`{"status": "completed", "deadline": null}`)
	request, err := http.NewRequest("PATCH", url, body)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	// The ETag that you read: only if nobody changed it since.
	request.Header.Set("If-Match", `"1"`)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusPreconditionFailed {
		log.Fatal("Read it again.")
	}
	if response.StatusCode != http.StatusOK {
		log.Fatal(response.Status)
	}
	io.Copy(os.Stdout, response.Body)
}
