// Package timeline owns the order in which things happened in a run: it puts what a
// history recorded into one sequence, and tells the story of one operation.
//
// It judges nothing and reads no files. Its values are not shared between
// goroutines by itself.
package timeline
