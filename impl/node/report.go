package node

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

const (
	// listedErrors is how many refused objects a report names.
	listedErrors = 32
	// answeredErrors is how many the answer of /status/applied names: whoever
	// asks looks for keys of his own among them.
	answeredErrors = 1024
	// keptErrors is how many refused objects a node remembers, so that those
	// beyond the list appear once others are repaired.
	keptErrors = 4096
	// errorBytes bounds the text of one error in a report.
	errorBytes = 512
)

// A Report says how far a node is.
type Report struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Instance string `json:"instance"` // random per process
	// Applied is, per watched prefix, the etcd revision up to which every event
	// under it is in force; 0 before the first.
	Applied map[string]int64 `json:"applied"`
	// Hash is, per watched prefix, that of what is in force under it then. Nodes of
	// which nobody compares it leave it out, and all do before the first.
	Hash map[string]store.Hash `json:"hash,omitempty"`
	// Errors lists refused objects in the order of their keys, at most 32; the
	// previous version of each stays in force.
	Errors []ObjectError `json:"errors"`
}

// Truncated tells that more objects may be refused than Errors lists.
func (r Report) Truncated() bool { return len(r.Errors) >= listedErrors }

// An ObjectError names an object that a node refused, and why.
type ObjectError struct {
	Key   string `json:"key"`
	Error string `json:"error"`
}

// ErrorText is the text of an error as a report has it: at most 512 bytes.
func ErrorText(err error) string {
	text := err.Error()
	if len(text) > errorBytes {
		text = strings.ToValidUTF8(text[:errorBytes], "")
	}
	return text
}

// ParseReport reads a Report from etcd. Unknown fields are ignored.
func ParseReport(b []byte) (Report, error) {
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return Report{}, fmt.Errorf("parse report: %w", err)
	}
	return r, nil
}
