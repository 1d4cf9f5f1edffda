package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
)

func main() {
	// The Link header leads to the next page, if there is one.
	response, err := http.Get("http://localhost:3000/todos?status=pending&sort=deadline")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Fatal(response.Status)
	}
	var todos []struct {
		Title    string  `json:"title"`
		Deadline *string `json:"deadline"`
	}
	if err := json.NewDecoder(response.Body).Decode(&todos); err != nil {
		log.Fatal(err)
	}
	for _, todo := range todos {
		fmt.Println(todo.Title)
	}
	fmt.Println(response.Header.Get("Link"))
}
