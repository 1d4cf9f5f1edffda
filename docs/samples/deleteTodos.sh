# Only the completed ones; without the parameter, all of them.
curl -i -X DELETE 'http://localhost:3000/todos?completed=true'
