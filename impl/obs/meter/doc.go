// Package meter owns the counters and histograms of requests: what was answered, by
// which route and node, how long it took, how many bytes went which way, and what
// failed.
//
// Each series has cells, one for each lane (event loop) that met it, so that counting
// writes no line of the cache that another loop writes: atomic additions to memory of
// the lane's own. Reading sums the cells. Counting neither locks nor allocates; a
// series, and a cell of it, is made when it is first needed.
//
// The number of series is bounded. What comes beyond is counted under the route Other,
// so that sums stay right. A series is dropped when its owner says that its route or
// node is gone.
//
// It knows no clock, no network and no format of exposition. All methods are safe for
// concurrent use.
package meter
