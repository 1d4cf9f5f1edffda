# A full page has a Link header: it leads to the next.
curl -i 'http://localhost:3000/todos?status=pending&sort=deadline'
