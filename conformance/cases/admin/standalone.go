package admin

import (
	"context"
	"crypto/sha1" //nolint:gosec // the digest that clients send, no protection
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// configs are calls for a whole configuration.
const configs = "/configs"

// replace puts a whole configuration under the digest of its text.
func replace(body string) spec.Call {
	sum := sha1.Sum([]byte(body)) //nolint:gosec // as above
	return replaceAs(hex.EncodeToString(sum[:]), body)
}

func replaceAs(digest, body string) spec.Call {
	c := put(configs, body)
	c.Header = map[string]string{"X-Digest": digest}
	return c
}

// versions is the whole configuration, and the versions of some of its sections.
func versions(ctx context.Context, t *spec.T) (config map[string]any, routes, upstreams int64) {
	r := ask.Answered(ctx, t, get(configs), http.StatusOK)
	config = r.JSON()
	return config, versionIn(t, config, "routes"), versionIn(t, config, "upstreams")
}

func versionIn(t *spec.T, config map[string]any, section string) int64 {
	n, ok := config[section+"_conf_version"].(json.Number)
	v, err := n.Int64()
	if !ok || err != nil {
		t.Fatalf("%s_conf_version of the configuration is %v, want a number", section, config[section+"_conf_version"])
	}
	return v
}

// emptied has the case end with a configuration that holds nothing, as it began.
func emptied(ctx context.Context, t *spec.T) {
	ask.Answered(ctx, t, replaceAs(t.Name("before"), `{}`), http.StatusAccepted)
	t.Cleanup(func(ctx context.Context) error {
		r, err := t.Env().Admin().Do(ctx, replaceAs(t.Name("after"), `{}`))
		if err == nil && r.Status != http.StatusAccepted {
			err = fmt.Errorf("empty the configuration: got %s", r)
		}
		return err
	})
}

// accepted replaces the configuration and returns the answer, whose headers must be right.
func accepted(ctx context.Context, t *spec.T, c spec.Call) spec.Reply {
	r := ask.Answered(ctx, t, c, http.StatusAccepted)
	at, err := strconv.ParseInt(r.Header.Get("X-Last-Modified"), 10, 64)
	off := time.Since(time.Unix(at, 0)).Abs()
	t.Check(err == nil && off < time.Hour, "X-Last-Modified is %q, want the unix time of now", r.Header.Get("X-Last-Modified"))
	t.Check(r.Header.Get("X-Digest") == c.Header["X-Digest"], "X-Digest is %q, want %q", r.Header.Get("X-Digest"), c.Header["X-Digest"])
	return r
}
