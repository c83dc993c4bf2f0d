// Package check owns judgement: a Checker reads the recorded history of a run,
// after the traffic, and returns a Verdict.
//
// A verdict is Valid only when the check examined enough to have found a
// violation; a history that is too thin, incomplete or empty gives Unknown, and
// Unknown is the zero value. Checks are pure: same history and facts, same
// verdict. They never look at what a gateway volunteers about itself, only at
// what clients sent and got and what backends saw. Checkers are values and safe
// for concurrent use.
package check
