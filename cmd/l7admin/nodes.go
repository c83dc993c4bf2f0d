package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/unilb/unilb/impl/node"
)

const nodesUsage = `l7admin nodes [remove NAME]: who is registered, who of them answers, and how far each is

  l7admin nodes
  l7admin nodes remove bj/az1/l7-1
  l7admin nodes remove --kind l7admin admin-1

A gateway that has ended stays registered, and ?wait=applied waits for it, until it is
removed here. One that still answers is not removed: it would register again.
`

// nodes lists the registered nodes, or removes one.
func (q *query) nodes(ctx context.Context) error {
	c := node.NewClient(0)
	defer c.Close()
	switch {
	case len(q.args) == 2 && q.args[0] == "remove":
		kind := q.kind
		if kind == "" {
			kind = "l7gw"
		}
		if err := c.Remove(ctx, q.st, kind, q.args[1]); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "l7admin: %s/%s is removed\n", kind, q.args[1])
		return nil
	case len(q.args) > 0:
		return usageError{errors.New("want nothing, or remove and a name")}
	}
	all, err := c.List(ctx, q.st, q.kind)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(q.out, 0, 0, 2, ' ', 0)
	if !q.json {
		fmt.Fprintln(table, "KIND\tNAME\tSTATE\tSTATUS LISTENER\tANSWERS\tAPPLIED\tREFUSED")
	}
	for _, r := range all {
		state := "active"
		if r.State == node.Draining {
			state = "draining"
		}
		if q.json {
			err := q.encode(struct {
				Kind    string           `json:"kind"`
				Name    string           `json:"name"`
				State   string           `json:"state"`
				Status  string           `json:"status"`
				Answers bool             `json:"answers"`
				Silence string           `json:"error,omitempty"`
				Applied map[string]int64 `json:"applied"` // by the last report
				Refused int              `json:"refused"` // of the same, at most 32
			}{r.Kind, r.Name, state, r.Status, r.Answers, r.Silence, r.Report.Applied, len(r.Report.Errors)})
			if err != nil {
				return err
			}
			continue
		}
		answers := "yes"
		if !r.Answers {
			answers = "no"
		}
		var applied []string
		for _, prefix := range slices.Sorted(maps.Keys(r.Report.Applied)) {
			applied = append(applied, fmt.Sprintf("%s %d", prefix, r.Report.Applied[prefix]))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r.Kind, r.Name, state, r.Status, answers, strings.Join(applied, ", "), len(r.Report.Errors))
	}
	return table.Flush()
}
