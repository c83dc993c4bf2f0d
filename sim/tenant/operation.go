package tenant

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// States of an operation.
const (
	Publishing = "publishing"
	Published  = "published" // not yet on all registered nodes
	InForce    = "in_force"
	Failed     = "failed"
)

// An Operation says how far a change has come.
type Operation struct {
	ID        string           `json:"id"`
	Action    string           `json:"action"`
	Resource  string           `json:"resource"`
	State     string           `json:"state"`
	Revisions map[string]int64 `json:"revisions"` // by prefix
	InForce   int              `json:"in_force"`
	Nodes     int              `json:"nodes"`
	SlowestMS int64            `json:"slowest_ms"`
	Behind    []Behind         `json:"behind"`
	Error     string           `json:"error"`
}

// Behind is a node that does not have the change in force yet.
type Behind struct {
	Node    string `json:"node"`
	Kind    string `json:"kind"`
	State   string `json:"state"` // "behind", or "unknown" when the node does not answer
	Prefix  string `json:"prefix"`
	Applied int64  `json:"applied"`
	Want    int64  `json:"want"`
}

// String names the nodes that are behind.
func (o Operation) String() string {
	var behind []string
	for _, b := range o.Behind {
		behind = append(behind, fmt.Sprintf("%s %s %s (%s %d of %d)", b.Kind, b.Node, b.State, b.Prefix, b.Applied, b.Want))
	}
	return fmt.Sprintf("operation %s (%s %s): %s, in force on %d of %d nodes; behind: %s; %s",
		o.ID, o.Action, o.Resource, o.State, o.InForce, o.Nodes, strings.Join(behind, ", "), o.Error)
}

// Operation reads an operation; with a wait it comes back when the change is in
// force everywhere, or has failed, or after that time.
func (c *Client) Operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	var op Operation
	path := "/v1/operations/" + id
	if wait > 0 {
		path += "?wait=" + wait.String()
	}
	return op, c.Get(ctx, path, &op)
}

// Await waits until the change is in force on every registered node. A failed
// operation, and one that ctx does not leave the time for, is an error that
// names the nodes which are behind.
func (c *Client) Await(ctx context.Context, op Operation) (Operation, error) {
	const step = 5 * time.Second
	last := op
	for {
		switch last.State {
		case InForce:
			return last, nil
		case Failed:
			return last, fmt.Errorf("%s", last)
		}
		if ctx.Err() != nil {
			return last, fmt.Errorf("%s: %w", last, ctx.Err())
		}
		now, err := c.Operation(ctx, op.ID, step)
		if err != nil {
			return last, fmt.Errorf("%s: %w", last, err)
		}
		last = now
	}
}
