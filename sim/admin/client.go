package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Headers of the Admin API.
const (
	headerKey      = "X-API-KEY"
	headerRevision = "X-Unilb-Revision" // in answers to writes: the revision of the write
	headerIfMatch  = "If-Match"         // in writes: the revision that the object must have; 0: it must not exist
)

// Limits of a Client.
const (
	DefaultTimeout = 10 * time.Second // of one call at one place, dialling included
	MaxURLs        = 16
	maxAnswerBytes = 16 << 20
)

// A Recorder takes the evidence. *history.Recorder is one.
type Recorder interface {
	Now() time.Duration
	Admin(history.AdminCall)
}

// Options of a Client.
type Options struct {
	Ref    topology.Ref   // who calls; "client/inet-1#2" for the second of several
	Dialer traffic.Dialer // where it stands; required
	// URLs are the places of one Admin API, up to and including /apisix/admin, with
	// literal addresses. They are tried in order until one can be connected to.
	URLs     []string
	Key      string        // API key
	Timeout  time.Duration // of one call at one place; DefaultTimeout when 0
	Recorder Recorder      // required
}

// A Client calls the Admin API.
type Client struct {
	o    Options
	http *http.Client
	mu   sync.Mutex // one call at a time
}

// New makes a client; it dials when it has something to say.
func New(o Options) (*Client, error) {
	if o.Dialer == nil || o.Recorder == nil || len(o.URLs) == 0 || len(o.URLs) > MaxURLs {
		return nil, fmt.Errorf("client of the Admin API %q: want a dialer, a recorder and 1 to %d URLs, got %d URLs", o.Ref, MaxURLs, len(o.URLs))
	}
	for _, at := range o.URLs {
		u, err := url.Parse(at)
		if err == nil && u.Scheme == "http" {
			_, err = netip.ParseAddrPort(u.Host)
		}
		if err != nil || u.Scheme != "http" || strings.HasSuffix(at, "/") {
			return nil, fmt.Errorf("client of the Admin API %q: URL %q: want http://ADDRESS:PORT/apisix/admin", o.Ref, at)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Client{o: o, http: traffic.HTTP(noting{o.Dialer}, o.Timeout)}, nil
}

// Verbs of a call, as the history names them.
const (
	Put    = "put"
	Get    = "get"
	Delete = "delete"
)

// A Call is what to ask of the Admin API.
type Call struct {
	Verb    string          // Put, Get or Delete
	Key     string          // below /apisix/admin: "/routes/7"
	Object  json.RawMessage // of a Put
	IfMatch *int64          // of a Put or Delete: refuse unless the object has this revision; 0: unless there is none
}

// A Result is a call as it was recorded, and the body of its answer.
type Result struct {
	history.AdminCall
	Body []byte
}

// Err is nil when the call certainly did what it was to do. A Get of a key that is
// not there did.
func (r Result) Err() error {
	if r.Outcome == history.OK {
		return nil
	}
	return fmt.Errorf("%s %s by %s: %s, %s", r.Verb, r.Key, r.Client, r.Outcome, r.Error)
}

// Put creates or replaces an object.
func (c *Client) Put(ctx context.Context, key string, object json.RawMessage) Result {
	return c.Do(ctx, Call{Verb: Put, Key: key, Object: object})
}

// Get reads an object; Got of the result is its value, absent when there is none.
func (c *Client) Get(ctx context.Context, key string) Result {
	return c.Do(ctx, Call{Verb: Get, Key: key})
}

// Delete removes an object.
func (c *Client) Delete(ctx context.Context, key string) Result {
	return c.Do(ctx, Call{Verb: Delete, Key: key})
}

// Do makes a call and records it. It goes on to the next place only while no
// connection was made: what was sent once may still happen. Waiting for another
// call of the client is not part of the call.
func (c *Client) Do(ctx context.Context, call Call) Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Result{AdminCall: history.AdminCall{Client: c.o.Ref, Verb: call.Verb, Key: call.Key, Object: call.Object, Call: c.o.Recorder.Now()}}
	for _, at := range c.o.URLs {
		a := c.ask(ctx, at, call)
		a.judge(&r)
		if a.sent || ctx.Err() != nil {
			break
		}
	}
	r.Return = c.o.Recorder.Now()
	c.o.Recorder.Admin(r.AdminCall)
	return r
}

// ask makes a call at one place.
func (c *Client) ask(ctx context.Context, at string, call Call) answer {
	note := &note{}
	ctx = context.WithValue(ctx, noteKey{}, note)
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(call.Verb), at+call.Key, bytes.NewReader(call.Object))
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set(headerKey, c.o.Key)
	if call.IfMatch != nil {
		req.Header.Set(headerIfMatch, strconv.FormatInt(*call.IfMatch, 10))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{err: err, sent: note.dialled.Load()}
	}
	defer resp.Body.Close()
	a := answer{sent: true, status: resp.StatusCode, revision: resp.Header.Get(headerRevision)}
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	return a
}

// A note says what became of the dial for one request.
type note struct{ dialled atomic.Bool }

type noteKey struct{}

// noting is a dialer that notes in the request's context that it has connected:
// an error after that says nothing about what the server did.
type noting struct{ traffic.Dialer }

func (n noting) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	c, err := n.Dialer.Dial(ctx, network, to)
	if note, ok := ctx.Value(noteKey{}).(*note); ok && err == nil {
		note.dialled.Store(true)
	}
	return c, err
}
