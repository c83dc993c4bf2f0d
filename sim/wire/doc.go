// Package wire owns cables between two nodes that are slower than a kernel link:
// a TAP interface at each end and, between them, a queue in this process whose
// frames have a due time. It exists because a kernel without netem, and without
// fq, cannot delay packets by other means.
//
// Frames cross whole with their offload metadata, so that a segment of 64 KiB
// costs one system call at each end. A cable never reorders, and never loses
// frames but for a full queue (counted) or a cut (counted). It vanishes with the
// process: there is nothing to clean up. A Cable is safe for concurrent use.
package wire
