package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/apisix"
)

const (
	// askTime bounds one question to a manager, from its name to the last byte.
	askTime = 5 * time.Second
	// longestAnswer bounds an answer, in bytes: what Vault takes for one secret.
	longestAnswer = 1 << 20
	// longestHead bounds its head.
	longestHead = 64 << 10
)

// vault is how to ask a server of HashiCorp Vault, as the object secrets/vault/<id> of
// APISIX says.
type vault struct {
	base      string // URL up to and including the prefix, without a slash at its end
	prefix    string
	token     string // may be a $env:// reference
	namespace string
}

// readVault reads the value of secrets/vault/<id>.
func readVault(value []byte) (*vault, error) {
	o, err := apisix.Parse(value)
	if err != nil {
		return nil, err
	}
	if err := o.CheckSecret("vault"); err != nil {
		return nil, err
	}
	text := func(name string) string { s, _ := o.Value(name).(string); return s }
	u, err := url.Parse(text("uri"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("uri: want http or https, a host and perhaps a path")
	}
	prefix := strings.Trim(text("prefix"), "/")
	return &vault{base: strings.TrimRight(u.String(), "/") + "/v1/" + escape(prefix), prefix: prefix, token: text("token"), namespace: text("namespace")}, nil
}

func escape(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// An answer is what a manager says of one secret.
type answer struct {
	members map[string]json.RawMessage
	holds   time.Duration // how long the manager wants it believed; 0: it does not say
}

// ask reads a secret as Vault's HTTP API has it:
//
//	GET <uri>/v1/<prefix>/<path>
//	X-Vault-Token: <token>
//	X-Vault-Namespace: <namespace>
//
// A key-value engine of version 1 answers
//
//	{"lease_duration": 3600, "data": {"<key>": "<value>"}, ...}
//
// and one of version 2, whose paths have "data" behind the name of the engine (prefix
// "secret/data", say),
//
//	{"lease_duration": 0, "data": {"data": {"<key>": "<value>"}, "metadata": {"version": 3, ...}}, ...}
//
// Both answer 404 where there is nothing (any more), 403 to a token that may not, and 503
// while they are sealed. No error says anything of the body of an answer.
func (v *vault) ask(ctx context.Context, c *http.Client, path string, env func(string) (string, bool)) (answer, error) {
	token := v.token
	if isEnv(token) {
		var err error
		if token, err = fromEnv(token, env); err != nil {
			return answer{}, fmt.Errorf("token of its manager: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.base+"/"+escape(path), nil)
	if err != nil {
		return answer{}, errors.New("the address of its manager cannot be used")
	}
	req.Header.Set("X-Vault-Token", strings.TrimSpace(token))
	req.Header.Set("X-Vault-Request", "true") // agents of Vault may demand it
	if v.namespace != "" {
		req.Header.Set("X-Vault-Namespace", v.namespace)
	}
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, unreachable(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return answer{}, refusal(resp.StatusCode)
	case err != nil:
		return answer{}, unreachable(ctx, err)
	case len(b) > longestAnswer:
		return answer{}, fmt.Errorf("its manager answers with more than %d bytes", longestAnswer)
	}
	return read(b, v.prefix+"/"+path)
}

// unreachable leaves out the address, which is the manager's object to say.
func unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("its manager has not answered within %s", askTime)
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var op *net.OpError
	if errors.As(err, &op) { // its text has a port that is another each time
		err = fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return fmt.Errorf("its manager cannot be asked: %w", err)
}

func refusal(status int) error {
	switch status {
	case http.StatusNotFound:
		return errors.New("its manager has nothing there (status 404)")
	case http.StatusForbidden:
		return errors.New("the token of its manager may not read it (status 403)")
	case http.StatusServiceUnavailable:
		return errors.New("its manager is sealed or unavailable (status 503)")
	}
	return fmt.Errorf("its manager answers with status %d", status)
}

// read takes an answer of either version; full is the path that was asked for.
func read(b []byte, full string) (answer, error) {
	var out struct {
		Lease int64                      `json:"lease_duration"` // seconds
		Data  map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal(b, &out) != nil || out.Data == nil {
		return answer{}, errors.New("its manager answers with something else than a secret")
	}
	a := answer{members: out.Data}
	if out.Lease > 0 && out.Lease < longestLease {
		a.holds = time.Duration(out.Lease) * time.Second
	}
	_, below, _ := strings.Cut(full, "/")
	if !strings.Contains("/"+below+"/", "/data/") {
		return a, nil
	}
	// A secret of version 1 may have such a path, and such keys, but no objects in them.
	var members, metadata map[string]json.RawMessage
	if json.Unmarshal(out.Data["data"], &members) == nil && json.Unmarshal(out.Data["metadata"], &metadata) == nil && members != nil {
		a.members = members
	}
	return a, nil
}

// longestLease is longer than any that matters, in seconds.
const longestLease = 1 << 31
