// Package linelog owns a file of lines that many loops write at once and that
// costs none of them a system call.
//
// A line is formed in the buffer of its lane; one goroutine owns the file, takes
// what the lanes have when a buffer is full and every second, and writes it. When
// it cannot keep up, the buffers of a lane grow to a bound, and further lines are
// dropped and counted: a slow disk never slows a request. A write that fails is
// tried again, from where it stopped, so that a disk that was full for a while costs
// no line that fits the bound.
//
// It knows nothing of what a line says. Lines of one lane keep their order, lines of
// different lanes do not. All methods are safe for concurrent use.
package linelog
