// Package jsontree owns the fast way from JSON text to what encoding/json decodes it to
// with UseNumber: map[string]any, []any, string, json.Number, bool or nil. A
// configuration of 100 000 objects is read at every start of a gateway, and each change of
// it is; encoding/json takes most of that time, and goes over each text twice.
//
// It reads what is ordinary and leaves the rest to encoding/json, errors above all, so
// that nothing is read in another way than there (a fuzz test compares them). What it
// returns shares the memory of the text. It is pure and safe for concurrent use.
package jsontree
