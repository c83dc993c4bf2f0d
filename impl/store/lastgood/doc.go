// Package lastgood owns the file in which a node keeps the objects that it has in
// force, so that it can begin with them while etcd is away.
//
// The file is a cache: it may be deleted at any time, and one that is damaged counts
// as none. It knows nothing of what objects mean; who uses it says what may stand in
// it. Note and Status of a Keeper may be called from any goroutine, Run from one.
package lastgood
