// Package lab owns a running lab: it builds what a [topology.Plan] says out of
// network namespaces, links and processes, gives access to every node, and takes
// all of it down again. Clients and echo backends are sockets of this process,
// made inside namespaces; only the systems under test are processes of their own.
//
// It decides no names, addresses or commands (topology and, for the gateway under
// test, Options.Gateway do), judges nothing, and speaks to the systems under test
// only over the network. A lab lives in a sandbox (sim/sandbox), so that nothing
// of it survives its process. All methods of Lab and Node are safe for concurrent
// use.
package lab
