// Package static owns the Admin objects of a gateway that has no Admin API: a
// store that answers as much of the APISIX Admin API as cases use, and the work of
// bringing each change into force on every node.
//
// A write is answered at once and carries a revision; Applier.Wait says when it is
// in force. Writes that follow each other quickly are brought into force together.
// How a node is configured is the caller's to say (Node). The package knows no lab
// and no manifest. Store and Applier are safe for concurrent use.
package static
