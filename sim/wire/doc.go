// Package wire owns the links between two nodes that are worse than a kernel link:
// they delay, lose, repeat and damage frames as a topology.Impairment says, and can
// be cut without either end noticing.
//
// The usual wire is a TAP interface at each end and, between them, a queue in this
// process whose frames have a due time: a kernel without netem, and without fq,
// cannot delay packets by other means. What happens to a frame is decided by the
// seed, the name of the wire, the direction and the number of the frame, so that a
// test can say which frames will be lost (see [FateOf]). Frames cross whole with
// their offload metadata, so that a segment of 64 KiB costs one system call at each
// end. It vanishes with the process: there is nothing to clean up.
//
// The same interface exists over netem on a kernel link, for machines that have
// netem but no TAP devices. The package never configures addresses or routes, and
// never loses a frame that it does not count. A [Wire] is safe for concurrent use.
package wire
