package main

import (
	"log"
	"net/http"
)

func main() {
	// Only the completed ones; without the parameter, all of them.
	url := "http://localhost:3000/todos?completed=true"
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
