// Package proxy owns the life of one exchange: match, merge, choose a target,
// forward, try again, answer when nothing else can. It implements
// exchange.Handler once for all engines and does no I/O itself.
//
// A request pins the snapshot it finds when its head is complete, and every
// later step, retries included, uses that one. Positions of balancers live
// beside snapshots, one set for each lane.
//
// A Pipeline is safe for concurrent use by any number of exchanges.
package proxy
