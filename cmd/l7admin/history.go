package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/daemon"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/history/decide"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/access"
)

const (
	// askTimeout bounds a command that reads or restores the configuration.
	askTimeout = 5 * time.Minute
	// shownByDefault is how many entries, or requests, are printed.
	shownByDefault = 20
)

// commands are what l7admin does besides serving.
var commands = map[string]struct {
	usage string
	run   func(q *query, ctx context.Context) error
}{
	"history":  {historyUsage, (*query).history},
	"diff":     {diffUsage, (*query).diff},
	"rollback": {rollbackUsage, (*query).rollback},
	"nodes":    {nodesUsage, (*query).nodes},
}

const historyUsage = `l7admin history: who changed what, the newest first

  l7admin history --etcd http://10.0.0.1:2379
  l7admin history --key 'routes/shop*' --limit 5
`

const diffUsage = `l7admin diff A [B]: how the configuration of revision B (default: now) differs from that of A

  l7admin diff 120 128
  l7admin diff --key 'upstreams/*' 120

Objects that differ come first (--key chooses). Then requests by the names, paths, methods
and simple conditions of all routes that become something else, by the gateway's own rules.
`

// query is one such command.
type query struct {
	etcd    []string
	access  access.Access
	prefix  string
	keys    []string
	limit   int
	json    bool
	dryRun  bool
	yes     bool
	kind    string // of nodes; "": all
	author  string
	keyring *apisix.Keyring
	router  route.Router
	args    []string
	out     io.Writer
	timeout time.Duration

	st *store.Store
}

// command runs one of commands and returns the exit code.
func command(name string, args []string, getenv func(string) string, out io.Writer) int {
	c := commands[name]
	q := &query{out: out}
	if err := q.parse(name, c.usage, args, getenv); err != nil {
		return daemon.BadFlags("l7admin "+name, err)
	}
	var err error
	if q.st, err = store.Open(q.access.Options(q.etcd, slog.New(slog.DiscardHandler))); err == nil {
		defer func() { _ = q.st.Close() }() // nothing is under way
		ctx, cancel := context.WithTimeout(context.Background(), q.timeout)
		defer cancel()
		err = c.run(q, ctx)
	}
	var bad usageError
	switch {
	case errors.As(err, &bad):
		return daemon.BadFlags("l7admin "+name, err)
	case err != nil:
		fmt.Fprintf(os.Stderr, "l7admin %s: %v\n", name, err)
		return daemon.ExitFailed
	}
	return 0
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (q *query) parse(name, usage string, args []string, getenv func(string) string) error {
	var etcd string
	f := flag.NewFlagSet("l7admin "+name, flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage, "\nFlags:\n")
		f.PrintDefaults()
	}
	f.StringVar(&etcd, "etcd", "http://127.0.0.1:2379", "client `URLs` of etcd members, comma-separated")
	q.access.Flags(f)
	if name == "nodes" {
		f.StringVar(&q.kind, "kind", "", "`kind` of nodes, such as l7gw (default of a list all, of remove l7gw)")
	} else {
		q.objectFlags(f)
	}
	f.BoolVar(&q.json, "json", false, "print JSON, an object a line")
	f.DurationVar(&q.timeout, "timeout", askTimeout, "when to give up")
	if name == "history" {
		f.IntVar(&q.limit, "limit", shownByDefault, "`entries` to print; 0: all")
	}
	if name == "diff" || name == "rollback" {
		f.IntVar(&q.limit, "limit", shownByDefault, "`requests` to print that become something else; 0: all")
		f.Func("http-router", "`name` of the router that gateways have, as for l7gw (default radixtree_host_uri)", func(s string) (err error) {
			q.router, err = route.ParseRouter(s)
			return err
		})
	}
	if name == "rollback" {
		f.BoolVar(&q.dryRun, "dry-run", false, "print what would be written and write nothing")
		f.BoolVar(&q.yes, "yes", false, "delete more than half of all objects, if that is what the revision means")
		f.StringVar(&q.author, "author", myself(), "`name` that the history will tell")
	}
	err := f.Parse(args)
	for ; err == nil && f.NArg() > 0; err = f.Parse(f.Args()[1:]) { // flags may stand behind arguments
		q.args = append(q.args, f.Arg(0))
	}
	if err != nil {
		return err
	}
	q.etcd = strings.Split(etcd, ",")
	if q.keyring, _, err = apisix.ParseKeyring(getenv("UNILB_KEYRING")); err != nil {
		return fmt.Errorf("environment variable UNILB_KEYRING: %w", err)
	}
	return q.access.Read(getenv, q.etcd)
}

// objectFlags say which objects a command looks at.
func (q *query) objectFlags(f *flag.FlagSet) {
	f.StringVar(&q.prefix, "prefix", admin.DefaultPrefix, "`directory` of APISIX in etcd")
	f.Func("key", "`pattern` of objects to look at, such as routes/shop or 'routes/*'; repeatable (default all)", func(s string) error {
		if _, err := path.Match(s, ""); err != nil {
			return err
		}
		q.keys = append(q.keys, s)
		return nil
	})
}

// myself is who runs this command, as far as it can be known.
func myself() string {
	u, err := user.Current()
	if err != nil {
		return "somebody"
	}
	host, _ := os.Hostname() // "" says nothing
	return strings.TrimSuffix(u.Username+"@"+host, "@")
}

func (q *query) revision(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("revision %q: want a number such as 120", text)}
	}
	return n, nil
}

// chosen tells whether --key chooses a key.
func (q *query) chosen(key string) bool {
	return history.Chosen(q.prefix, key, q.keys)
}

// changed is how an object changed, as it is printed.
type changed struct {
	Key     string               `json:"key"`
	What    string               `json:"what"` // added, changed, removed; or why it cannot be told
	Members []history.Difference `json:"members,omitempty"`
	TTL     int64                `json:"ttl,omitempty"`  // seconds after which it vanishes by itself
	Gone    bool                 `json:"gone,omitempty"` // it has, or somebody deleted it who leaves no entry
}

func newChanged(key string, before, after history.Object) changed {
	c := changed{Key: key, What: "changed", Members: history.Compare(before, after)}
	switch {
	case before == nil:
		c.What = "added"
	case after == nil:
		c.What = "removed"
	}
	return c
}

// ofEntry is how an object changed by an entry, as far as that is known.
func ofEntry(e history.Entry, c history.Change) changed {
	switch {
	case e.Omitted:
		return changed{Key: c.Key, What: "too large to be kept"}
	case !c.AfterKnown && c.Gone:
		return changed{Key: c.Key, What: "gone since: expired, or deleted by somebody who leaves no entry"}
	case !c.AfterKnown:
		return changed{Key: c.Key, What: "replaced since by somebody who leaves no entry"}
	}
	out := newChanged(c.Key, c.Before, c.After)
	out.TTL, out.Gone = c.TTL, c.Gone && c.TTL > 0
	return out
}

// print prints it, and what of it has changed.
func (q *query) print(c changed) {
	key := strings.TrimPrefix(c.Key, q.prefix+"/")
	sign := map[string]string{"added": "+", "changed": "~", "removed": "-"}[c.What]
	if sign == "" {
		fmt.Fprintf(q.out, "  ? %s: %s\n", key, c.What)
		return
	}
	life := ""
	if c.TTL > 0 {
		life = fmt.Sprintf(", for %d s", c.TTL)
		if c.Gone {
			life += ", gone since"
		}
	}
	fmt.Fprintf(q.out, "  %s %s%s\n", sign, key, life)
	for _, d := range c.Members {
		name := d.Path
		if name == "" {
			name = "(no JSON)"
		}
		switch {
		case d.From == "":
			fmt.Fprintf(q.out, "      %s: %s\n", name, d.To)
		case d.To == "":
			fmt.Fprintf(q.out, "      %s: %s -> nothing\n", name, d.From)
		default:
			fmt.Fprintf(q.out, "      %s: %s -> %s\n", name, d.From, d.To)
		}
	}
}

func (q *query) encode(v any) error {
	e := json.NewEncoder(q.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (q *query) history(ctx context.Context) error {
	if len(q.args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", q.args[0])}
	}
	l, err := q.load(ctx)
	if err != nil {
		return err
	}
	printed := 0
	for _, e := range slices.Backward(l.Entries) {
		var all []changed
		for _, c := range e.Changes {
			if q.chosen(c.Key) {
				all = append(all, ofEntry(e, c))
			}
		}
		if len(all) == 0 {
			continue
		}
		if printed++; q.limit > 0 && printed > q.limit {
			break
		}
		if err := q.entry(e, all); err != nil {
			return err
		}
	}
	return nil
}

// entry prints one entry.
func (q *query) entry(e history.Entry, all []changed) error {
	if q.json {
		return q.encode(struct {
			Revision int64     `json:"revision"`
			Time     time.Time `json:"time"`
			history.Who
			Omitted bool      `json:"omitted,omitempty"`
			Changes []changed `json:"changes"`
		}{e.Revision, e.Time, e.Who, e.Omitted, all})
	}
	fmt.Fprintf(q.out, "%d  %s  %s  %s  %s\n", e.Revision, e.Time.Format(time.RFC3339), e.Author, e.What, e.Request)
	for _, c := range all {
		q.print(c)
	}
	return nil
}

func (q *query) load(ctx context.Context) (*history.Log, error) {
	l, err := history.Load(ctx, q.st, q.prefix)
	if err != nil {
		return nil, err
	}
	for _, err := range l.Damaged {
		fmt.Fprintln(os.Stderr, "l7admin: left out:", err)
	}
	return l, nil
}

func (q *query) diff(ctx context.Context) error {
	if n := len(q.args); n < 1 || n > 2 {
		return usageError{errors.New("want one revision, or two")}
	}
	l, err := q.load(ctx)
	if err != nil {
		return err
	}
	states := [2]*history.State{1: l.Now()}
	for i, text := range q.args {
		rev, err := q.revision(text)
		if err != nil {
			return err
		}
		if states[i], err = l.At(ctx, q.st, q.prefix, rev); err != nil {
			return err
		}
		q.unknown(states[i].Unknown, fmt.Sprintf("at revision %d", rev))
	}
	for _, d := range states[0].Diff(states[1]) {
		if !q.chosen(d.Key) {
			continue
		}
		c := newChanged(d.Key, d.Before, d.After)
		if !q.json {
			q.print(c)
		} else if err := q.encode(c); err != nil {
			return err
		}
	}
	return q.decisions(decide.Compare(decide.Options{Objects: q.prefix, Router: q.router, Keyring: q.keyring}, states[0], states[1]))
}

// decisions prints which requests become something else.
func (q *query) decisions(r decide.Result) error {
	if err := q.requests(r.Decisions); err != nil {
		return err
	}
	more := ""
	if r.LeftOut {
		more = ", and no more were tried"
	}
	fmt.Fprintf(os.Stderr, "l7admin: %d of %d requests become something else%s; %d are shown\n", len(r.Decisions), r.Requests, more, len(q.first(r.Decisions)))
	return nil
}

// first are those that are shown.
func (q *query) first(all []decide.Decision) []decide.Decision {
	if q.limit > 0 && len(all) > q.limit {
		return all[:q.limit]
	}
	return all
}

// requests prints what becomes of the first.
func (q *query) requests(all []decide.Decision) error {
	for _, d := range q.first(all) {
		if !q.json {
			fmt.Fprintf(q.out, "  > %s\n      %s\n   -> %s\n", d.Request, d.From, d.To)
		} else if err := q.encode(d); err != nil {
			return err
		}
	}
	return nil
}

// unknown says of which objects nothing is known.
func (q *query) unknown(keys []string, where string) {
	for _, key := range keys {
		if q.chosen(key) {
			fmt.Fprintf(os.Stderr, "l7admin: nothing is known of %s %s: somebody wrote it who leaves no entry, or it was too large\n", key, where)
		}
	}
}
