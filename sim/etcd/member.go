package etcd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/unilb/unilb/sim/traffic"
)

// Limit bounds every call. etcd itself gives up on a request that needs a quorum
// after seven seconds; who wants to know whether there is one need not wait so
// long.
const Limit = 3 * time.Second

// maxAnswer bounds one answer, in bytes.
const maxAnswer = 64 << 20

// A Member asks one member of a cluster.
type Member struct {
	at   netip.AddrPort
	http *http.Client
}

// New makes the client of the member whose client port is at, asked from where d
// stands.
func New(d traffic.Dialer, at netip.AddrPort) *Member {
	return &Member{at: at, http: traffic.HTTP(d, Limit)}
}

// An Error is what a member answered instead of a result.
type Error struct {
	Code int    `json:"code"`    // of gRPC
	Text string `json:"message"` // etcd's words
}

func (e *Error) Error() string { return fmt.Sprintf("%s (code %d)", e.Text, e.Code) }

// ErrCompacted is found by errors.Is in the answer to a question about a revision
// that the member has forgotten.
var ErrCompacted = errors.New("revision has been compacted")

// textCompacted is how etcd says so. The code is shared with other errors.
const textCompacted = "etcdserver: mvcc: required revision has been compacted"

// Is implements errors.Is.
func (e *Error) Is(target error) bool { return target == ErrCompacted && e.Text == textCompacted }

// call asks one thing. A member that is not there, or does not answer within
// Limit, is an error of the network.
func (m *Member) call(ctx context.Context, path string, question, answer any) error {
	b, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("ask etcd %s: %w", m.at, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+m.at.String()+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("ask etcd %s: %w", m.at, err)
	}
	resp, err := m.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask etcd %s: %w", m.at, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask etcd %s: %w", m.at, err)
	}
	if resp.StatusCode != http.StatusOK {
		e := &Error{}
		if json.Unmarshal(body, e) != nil || e.Text == "" {
			return fmt.Errorf("ask etcd %s: %s", m.at, resp.Status)
		}
		return fmt.Errorf("ask etcd %s: %w", m.at, e)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("ask etcd %s: read answer: %w", m.at, err)
	}
	return nil
}

// header is part of every answer. The gateway writes 64-bit numbers as text and
// leaves zeros out.
type header struct {
	Member   uint64 `json:"member_id,string"`
	Revision int64  `json:"revision,string"`
	Term     uint64 `json:"raft_term,string"`
}
