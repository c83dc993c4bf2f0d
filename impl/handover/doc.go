// Package handover owns the conversation of two processes of one program when the
// second takes over from the first: a hot restart.
//
// The first starts the second, which inherits its listening sockets: the very same, by
// duplicated descriptors, because a socket of its own of the same address (SO_REUSEPORT)
// would have a queue of its own, and closing the old one would reset who waits in it. Both
// speak over a socket pair, in lines of JSON:
//
//	first:  the legacy: what each inherited descriptor is, and the secret of tickets
//	second: "ready": it could serve from now on
//	first:  "yours": it has stopped doing what only one may do
//	first:  how far its drain is, again and again; then the end
//
// It knows nothing of what is served. A secret goes over the pair, never by argument or
// environment, where others can read it.
//
// A Successor and an Heir are safe for concurrent use where their methods say so.
package handover
