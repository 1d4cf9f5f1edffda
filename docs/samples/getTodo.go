package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
)

func main() {
	url := "http://localhost:3000/todos/01932c07-209c-7d4c-9d3e-0f1a2b3c4d5e"
	response, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Fatal(response.Status)
	}
	var todo struct {
		Title string `json:"title"`
	}
	if err := json.NewDecoder(response.Body).Decode(&todo); err != nil {
		log.Fatal(err)
	}
	fmt.Println(todo.Title, response.Header.Get("ETag"))
}
