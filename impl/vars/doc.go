// Package vars owns the variables of a request: what nginx and APISIX have under these names
// in conditions of routes, of the head, the connection, the time, the machine and the body.
// It asks for nothing that is not there: of a body that nobody has collected it notes that it
// was needed (Request.NeedsBody), and whoever wants another answer collects it.
//
// A Request belongs to one exchange and is used by one goroutine at a time, as that is.
package vars
