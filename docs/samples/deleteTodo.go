package main

import (
	"log"
	"net/http"
)

func main() {
	url := "http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e"
	request, err := http.NewRequest("DELETE", url, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		log.Fatal(response.Status)
	}
}
