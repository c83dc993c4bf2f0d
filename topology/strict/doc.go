// Package strict owns the reading of the testbed's YAML files into tagged
// structs: unknown keys, repeated ones, values of another form and values beyond
// their limits are errors that name file, line and column, offer the word that
// was probably meant, and come all at once.
//
// The tags of a struct are its file format. The key of a field is its tag "yaml"
// or, without one, the name in its tag "json"; a field with neither is no part of
// the file, and the fields of an embedded struct count as those of the outer one.
//
//	yaml:",key"       a slice of such structs is a mapping; this is the key
//	yaml:",value"     the struct is written as this plain value
//	required:"true"   must be given, and must not be empty; so does need:"true"
//	min, max          bound a number or a time, or the entries of a list or mapping
//	enum              what a text may be, with commas between
//	default           what leaving it out means
//
// A type with the methods of Union is written as one of several words.
//
// The package is pure: it opens no file, and knows neither topologies nor
// anything else that a file may hold. A Source is immutable; any number of
// goroutines may use it.
package strict
