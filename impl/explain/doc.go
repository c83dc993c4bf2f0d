// Package explain owns the account of what a gateway would do with a request: which route
// it would take and why no other, which plugins and which upstream are merged, which target
// would be next, and of which revisions all that is. It sends nothing and moves nothing.
//
// It asks the same table, the same merge and the same balancer as requests do. Everything
// here is safe for concurrent use.
package explain
