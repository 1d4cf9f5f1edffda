package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"strings"
)

func main() {
	body := strings.NewReader(`{"title": "Water the plants", "status": "pending"}`)
	request, err := http.NewRequest("POST", "http://localhost:3000/todos", body)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	// Makes it safe to send again after a time-out.
	request.Header.Set("Idempotency-Key", rand.Text())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		log.Fatal(response.Status)
	}
	fmt.Println(response.Header.Get("Location"))
}
