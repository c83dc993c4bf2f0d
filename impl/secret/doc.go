// Package secret owns the values that references in objects stand for:
//
//	$secret://vault/<id>/<path>/<key>   a key of a secret that HashiCorp Vault keeps
//	$env://NAME, $env://NAME/<key>      a variable of this process' environment, or a
//	                                    member of the JSON object in it
//
// It asks managers of secrets in the background and again and again, and remembers what
// they say; nobody who looks a reference up waits for the network. A value that was known
// stays when a later question fails. It compiles nothing, keeps nothing on disk and says
// no value in an error.
//
// A Resolver is safe for concurrent use.
package secret
