package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/history/decide"
	"github.com/unilb/unilb/impl/store"
)

const rollbackUsage = `l7admin rollback REVISION: write the objects as they were at a revision, as new ones

  l7admin rollback --dry-run 120
  l7admin rollback --key routes/shop --author jane 120

Objects that refer to each other are written in one transaction. What would delete more
than half of all objects needs --yes. Exit code 1: not all is as it was; what is done is
told, and the same command goes on from there.
`

func (q *query) rollback(ctx context.Context) error {
	if len(q.args) != 1 {
		return usageError{errors.New("want one revision")}
	}
	rev, err := q.revision(q.args[0])
	if err != nil {
		return err
	}
	l, err := q.load(ctx)
	if err != nil {
		return err
	}
	was, err := l.At(ctx, q.st, q.prefix, rev)
	if err != nil {
		return err
	}
	plan, err := l.Restore(was, q.prefix, q.keys)
	if err != nil {
		return err
	}
	q.unknown(plan.Unknown, fmt.Sprintf("at revision %d, it stays as it is", rev))
	for _, g := range plan.Groups {
		if !q.json {
			fmt.Fprintf(q.out, "group of %d, %d transaction(s)\n", len(g.Changes), g.Transactions)
		}
		for _, c := range g.Changes {
			c := newChanged(c.Key, c.Before, c.After)
			if !q.json {
				q.print(c)
			} else if err := q.encode(c); err != nil {
				return err
			}
		}
	}
	if err := q.younger(l, plan, was); err != nil {
		return err
	}
	switch {
	case len(plan.Groups) == 0:
		fmt.Fprintf(os.Stderr, "l7admin: everything is as it was at revision %d\n", rev)
		return nil
	case q.dryRun:
		return nil
	case !q.yes && 2*deletions(plan) > len(l.Objects):
		return fmt.Errorf("nothing is written: it would delete %d of %d objects; look at it with --dry-run, then say --yes", deletions(plan), len(l.Objects))
	}
	plan.Beside = func(ctx context.Context, kinds []string) ([]store.Cond, []store.Op, error) {
		return admin.Voided(ctx, q.st, q.prefix, kinds)
	}
	at, done, err := plan.Do(ctx, &history.Store{Store: q.st, Objects: q.prefix}, history.Who{Author: q.author, What: fmt.Sprintf("rollback to %d", rev)})
	if err != nil {
		return fmt.Errorf("%d of %d groups are as they were, up to revision %d: %w", done, len(plan.Groups), at, err)
	}
	fmt.Fprintf(os.Stderr, "l7admin: %d group(s) are as they were at revision %d, as of revision %d\n", done, rev, at)
	return nil
}

// younger says which routes are created anew, and which requests become something else
// because of that.
func (q *query) younger(l *history.Log, plan *history.Plan, was *history.State) error {
	var ids []string
	for _, g := range plan.Groups {
		for _, c := range g.Changes {
			if id, ok := strings.CutPrefix(c.Key, q.prefix+"/routes/"); ok && c.Before == nil {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	young, old := plan.Outcome(l, was)
	r := decide.Compare(decide.Options{Objects: q.prefix, Router: q.router, Keyring: q.keyring, Routes: ids}, old, young)
	fmt.Fprintf(os.Stderr, "l7admin: %d route(s) created anew are younger than those that stayed, and come after equal ones: %d of %d requests go elsewhere because of that\n",
		len(ids), len(r.Decisions), r.Requests)
	return q.requests(r.Decisions)
}

// deletions is how many objects a plan deletes.
func deletions(p *history.Plan) (n int) {
	for _, g := range p.Groups {
		for _, c := range g.Changes {
			if c.After == nil {
				n++
			}
		}
	}
	return n
}
