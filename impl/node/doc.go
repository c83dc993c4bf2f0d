// Package node owns a process's place in the region: its registration and its
// report in etcd, and the status listener that tells others how far it is.
//
// It never applies configuration itself: whoever does calls Applied. All methods
// of Node are safe for concurrent use.
package node
