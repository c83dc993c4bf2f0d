package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/explain"
	"github.com/unilb/unilb/impl/gateway"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/access"
	"github.com/unilb/unilb/impl/store/lastgood"
)

const explainUsage = `l7gw explain [METHOD] URL: what would become of a request, and why

  l7gw explain --control http://127.0.0.1:9090 http://shop.example/cart
  l7gw explain --etcd http://10.0.0.1:2379 --remote 198.18.0.3 POST http://shop.example/cart
  l7gw explain --state-dir /var/lib/l7gw -H 'Cookie: beta=1' --route cart http://shop.example/cart

A running gateway (--control) also knows the health of targets and which would be next. Else
the objects are read once, from etcd, the last good configuration of a gateway (--state-dir),
or a JSON file of a whole configuration (--config), and nothing is served. What is in
--state-dir is up to ten seconds old.
`

// explainEnvironment is the end of the help.
const explainEnvironment = `
Environment:
  UNILB_KEYRING  as for l7gw
  UNILB_ETCD_USER, UNILB_ETCD_PASSWORD
                 who we are to etcd, both or none
`

// explainTimeout bounds the reading of a configuration.
const explainTimeout = time.Minute

// explaining is the command explain.
type explaining struct {
	form      explain.Form
	headFile  string
	body      string
	control   string
	stateDir  string
	config    string
	etcd      string
	access    access.Access
	endpoints []string
	read      gateway.Reading
	json      bool
}

// runExplain runs the command and returns the exit code.
func runExplain(args []string, getenv func(string) string, in io.Reader, out io.Writer) int {
	e := &explaining{}
	err := e.parse(args, getenv, in)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(os.Stderr, "l7gw explain:", err)
		return exitBadFlags
	}
	question, err := e.form.Question()
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7gw explain:", err)
		return exitBadFlags
	}
	ctx, cancel := context.WithTimeout(context.Background(), explainTimeout)
	defer cancel()
	a, err := e.answer(ctx, question)
	if err == nil {
		err = e.print(out, a)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "l7gw explain:", err)
		return exitFailed
	}
	return 0
}

func (e *explaining) parse(args []string, getenv func(string) string, in io.Reader) error {
	f := flag.NewFlagSet("l7gw explain", flag.ContinueOnError)
	f.SetOutput(os.Stderr)
	f.Usage = func() {
		fmt.Fprint(os.Stderr, explainUsage, "\n")
		f.PrintDefaults()
		fmt.Fprint(os.Stderr, explainEnvironment)
	}
	f.Func("H", "`header` of the request, such as 'Cookie: beta=1'; repeatable", func(s string) error {
		e.form.Headers = append(e.form.Headers, s)
		return nil
	})
	f.StringVar(&e.headFile, "head", "", "`file` with the whole head, in the place of method, URL and headers, and behind it a body if there is one; -: stdin")
	f.StringVar(&e.body, "body", "", "`text` of the body, or @file; without a method, that is POST")
	f.StringVar(&e.form.Scheme, "scheme", "", "http or https, where the URL has none")
	f.StringVar(&e.form.Remote, "remote", "", "`address` of the client")
	f.StringVar(&e.form.Local, "local", "", "`address` that the connection comes to, such as 203.0.113.10:80; empty: that of the URL, if it is one")
	f.StringVar(&e.form.SNI, "sni", "", "`name` that the client asks for by TLS; empty: the host")
	f.StringVar(&e.form.Consumer, "consumer", "", "`name` of the consumer who is identified")
	f.StringVar(&e.form.Route, "route", "", "`id` of a route to tell about whether it matches or not")
	f.StringVar(&e.form.Max, "max", "", fmt.Sprintf("how many candidates to list of each kind, 1 to 1000 (default %d)", explain.DefaultMost))
	f.StringVar(&e.control, "control", "", "`URL` of the control API of a gateway to ask")
	f.StringVar(&e.stateDir, "state-dir", "", "`directory` of the last good configuration of a gateway")
	f.StringVar(&e.config, "config", "", "`file`: a last good configuration, or a whole configuration in JSON")
	f.StringVar(&e.etcd, "etcd", "http://127.0.0.1:2379", "client `URLs` of etcd members, comma-separated")
	e.access.Flags(f)
	f.StringVar(&e.read.Prefix, "prefix", "/apisix", "directory of APISIX in etcd")
	f.Func("http-router", "`name` of the router, as for l7gw", func(s string) (err error) {
		e.read.Router, err = route.ParseRouter(s)
		return err
	})
	f.BoolVar(&e.read.Paths.EncodedSlash, "match-uri-encoded-slash", false, "as for l7gw")
	f.BoolVar(&e.read.Paths.TailSlash, "delete-uri-tail-slash", false, "as for l7gw")
	f.BoolVar(&e.read.Paths.Servlet, "normalize-uri-like-servlet", false, "as for l7gw")
	peerFlags(f, &e.read.Peers)
	f.BoolVar(&e.json, "json", false, "print one JSON object")
	request, err := interspersed(f, args)
	if err != nil {
		return err
	}
	if err := e.request(request, in); err != nil {
		return err
	}
	if more := e.sources(); more > 1 {
		return errors.New("--control, --state-dir and --config exclude each other")
	}
	if e.read.Keyring, _, err = apisix.ParseKeyring(getenv("UNILB_KEYRING")); err != nil {
		return fmt.Errorf("environment variable UNILB_KEYRING: %w", err)
	}
	e.endpoints = strings.Split(e.etcd, ",")
	return e.access.Read(getenv, e.endpoints)
}

// interspersed parses flags before, between and behind arguments, and returns those.
func interspersed(f *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := f.Parse(args); err != nil || f.NArg() == 0 {
			return rest, err
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

func (e *explaining) sources() (n int) {
	for _, s := range []string{e.control, e.stateDir, e.config} {
		if s != "" {
			n++
		}
	}
	return n
}

// request reads what is asked about.
func (e *explaining) request(args []string, in io.Reader) (err error) {
	switch {
	case e.headFile == "-":
		e.form.Head, err = io.ReadAll(in)
	case e.headFile != "":
		e.form.Head, err = os.ReadFile(e.headFile)
	case len(args) == 2:
		e.form.Method, e.form.URL = args[0], args[1]
	case len(args) == 1:
		e.form.URL = args[0]
	default:
		return errors.New("want a URL, or a method and a URL")
	}
	if file, isFile := strings.CutPrefix(e.body, "@"); isFile && err == nil {
		e.form.Body, err = os.ReadFile(file)
	} else if e.body != "" {
		e.form.Body = []byte(e.body)
	}
	if e.headFile != "" && len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: --head has the request", args[0])
	}
	return err
}

func (e *explaining) answer(ctx context.Context, q *explain.Question) (*explain.Answer, error) {
	if e.control != "" {
		return e.askGateway(ctx)
	}
	src, err := e.source(ctx)
	if err != nil {
		return nil, err
	}
	return src.Explain(q), nil
}

// askGateway asks a gateway that runs.
func (e *explaining) askGateway(ctx context.Context) (*explain.Answer, error) {
	at, query := strings.TrimSuffix(e.control, "/"), e.form.Values().Encode()
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if len(e.form.Head) > 0 {
		method, body = http.MethodPost, strings.NewReader(string(e.form.Head))
	}
	req, err := http.NewRequestWithContext(ctx, method, at+"/v1/explain?"+query, body)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	const most = 64 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s is no control API of a gateway: want what l7gw was told by --control, which is not its --status-listen", at)
	default:
		return nil, fmt.Errorf("%s answered %s: %s", at, resp.Status, strings.TrimSpace(string(text)))
	}
	a := &explain.Answer{}
	return a, json.Unmarshal(text, a)
}

// source reads the configuration once.
func (e *explaining) source(ctx context.Context) (*explain.Source, error) {
	switch {
	case e.stateDir != "":
		return e.lastGood(lastgood.Read(e.stateDir))
	case e.config != "":
		text, err := os.ReadFile(e.config)
		if err != nil {
			return nil, err
		}
		if lastgood.Is(text) {
			return e.lastGood(lastgood.ReadFile(e.config))
		}
		c, err := gateway.WholeConfiguration(e.read.Prefix, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.config, err)
		}
		return e.read.Explained(c), nil
	}
	st, err := store.Open(e.access.Options(e.endpoints, slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = st.Close() }() // nothing is under way
	kvs, rev, err := st.List(ctx, e.read.Prefix)
	if err != nil {
		return nil, err
	}
	if len(kvs) == 0 {
		return nil, fmt.Errorf("etcd has nothing below %s at revision %d", e.read.Prefix, rev)
	}
	return e.read.Explained(lastgood.Content{Prefix: e.read.Prefix, Revision: rev, KVs: kvs}), nil
}

func (e *explaining) lastGood(img *lastgood.Image, err error) (*explain.Source, error) {
	if err != nil {
		return nil, err
	}
	if img.Of(e.read.Prefix) == nil {
		return nil, fmt.Errorf("the file has nothing of %s", e.read.Prefix)
	}
	return e.read.Explained(img.Contents...), nil
}

func (e *explaining) print(out io.Writer, a *explain.Answer) error {
	if !e.json {
		return a.Text(out)
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		Type string `json:"type"`
		*explain.Answer
	}{"explanation", a})
}
