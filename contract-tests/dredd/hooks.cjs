// Dredd takes hooks from a file alone. It runs in the process of the tests, which hand their hooks over here.
const hooks = require('hooks')

hooks.configuration.custom.register(hooks)
