package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func ask(n *Node, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	n.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

func TestReadyFollowsState(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	for _, tc := range []struct {
		state State
		code  int
		body  string
	}{
		{Starting, 503, `{"state":"starting","status":"error","error":"worker id: 0 has not received configuration"}` + "\n"},
		{Serving, 200, `{"state":"serving","status":"ok"}` + "\n"},
		{Draining, 503, `{"state":"draining","status":"error","error":"draining"}` + "\n"},
	} {
		n.SetState(tc.state)
		if w := ask(n, "/status/ready"); w.Code != tc.code || w.Body.String() != tc.body {
			t.Errorf("%s: got %d %s", tc.state, w.Code, w.Body)
		}
	}
}

func TestServeNeverEndsADrain(t *testing.T) {
	for _, tc := range []struct {
		before, after State
		did           bool
	}{
		{Starting, Serving, true},
		{Serving, Serving, false},
		{Draining, Draining, false},
	} {
		n := newNode(registration(), newMemory(), Options{})
		n.SetState(tc.before)
		if did := n.Serve(); did != tc.did || n.State() != tc.after {
			t.Errorf("from %s: got %v and %s, want %v and %s", tc.before, did, n.State(), tc.did, tc.after)
		}
	}
}

func TestAppliedAnswersAtOnceOrWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(registration(), newMemory(), Options{})
		n.Applied("/apisix", 100)
		body := `{"node":"bj/az1/l7-1","applied":{"/apisix":100,"/unilb/listeners":0},"errors":[]}`
		began := time.Now()
		for _, target := range []string{"/status/applied", "/status/applied?prefix=/apisix&revision=100&timeout=10s", "/status/applied?prefix=/apisix/&revision=99"} {
			w := ask(n, target)
			if w.Code != 200 || !reflect.DeepEqual(object(t, w.Body.Bytes()), object(t, []byte(body))) || time.Since(began) != 0 {
				t.Errorf("%s: got %d %s after %s", target, w.Code, w.Body, time.Since(began))
			}
		}
		w := ask(n, "/status/applied?prefix=/apisix&revision=101&timeout=10s")
		if w.Code != 504 || time.Since(began) != 10*time.Second || !reflect.DeepEqual(object(t, w.Body.Bytes()), object(t, []byte(body))) {
			t.Errorf("got %d %s after %s, want 504 after 10s", w.Code, w.Body, time.Since(began))
		}
		began = time.Now()
		if w = ask(n, "/status/applied?prefix=/apisix&revision=101&timeout=10h"); w.Code != 504 || time.Since(began) != time.Minute {
			t.Errorf("got %d after %s, want 504 after a minute", w.Code, time.Since(began))
		}
		time.AfterFunc(3*time.Second, func() { n.Applied("/apisix", 120) })
		began = time.Now()
		w = ask(n, "/status/applied?prefix=/apisix&revision=101&timeout=10s")
		if w.Code != 200 || time.Since(began) != 3*time.Second {
			t.Errorf("got %d after %s, want 200 after 3s", w.Code, time.Since(began))
		}
	})
}

func TestAppliedRefusesBadQueries(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	for _, query := range []string{"prefix=/apisix", "revision=1", "prefix=/apisix&revision=x", "prefix=/apisix&revision=-1", "prefix=/apisix&revision=1&timeout=10", "prefix=/apisix&revision=1&timeout=-1s"} {
		if w := ask(n, "/status/applied?"+query); w.Code != 400 || object(t, w.Body.Bytes())["error_msg"] == nil {
			t.Errorf("%s: got %d %s", query, w.Code, w.Body)
		}
	}
}

func TestNobodyWaitsForAPrefixThatIsNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, began := newNode(registration(), newMemory(), Options{}), time.Now()
		for _, prefix := range []string{"/apsix", "/apisix/routes", "/apisi"} {
			w := ask(n, "/status/applied?revision=1&prefix="+prefix)
			want := fmt.Sprintf("{\"error_msg\":\"prefix \\\"%s\\\" is not watched here: want /apisix or /unilb/listeners\"}\n", prefix)
			if w.Code != 400 || w.Body.String() != want || time.Since(began) != 0 {
				t.Errorf("%s: got %d %s after %s, want 400 %s at once", prefix, w.Code, w.Body, time.Since(began), want)
			}
		}
		if w := ask(New(Registration{}, nil, Options{}), "/status/applied?revision=1&prefix=/a"); w.Code != 400 || !strings.Contains(w.Body.String(), "nor is any other") {
			t.Errorf("a node that watches nothing: got %d %s", w.Code, w.Body)
		}
	})
}

func TestStatusTellsThatEtcdIsAway(t *testing.T) {
	m := newMemory()
	n := newNode(registration(), m, Options{})
	for _, down := range []bool{false, true} {
		m.setDown(down)
		etcd, _ := object(t, ask(n, "/status").Body.Bytes())["etcd"].(map[string]any)
		if etcd["reachable"] != !down || (etcd["last_error"] == "down") != down {
			t.Errorf("etcd down %t: got %v", down, etcd)
		}
	}
	if got := object(t, ask(New(registration(), nil, Options{}), "/status").Body.Bytes()); got["etcd"] != nil {
		t.Errorf("without a store: got %v", got["etcd"])
	}
}

func TestStatusNamesEverything(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	n.Refuse("/apisix/routes/1", errors.New("bad"))
	got := object(t, ask(n, "/status").Body.Bytes())
	for _, field := range []string{"status", "name", "kind", "version", "instance", "uptime", "applied", "errors", "drift", "etcd"} {
		if got[field] == nil {
			t.Errorf("no %s in %v", field, got)
		}
		delete(got, field)
	}
	if len(got) > 0 {
		t.Errorf("unexpected %v", got)
	}
}

// TestAppliedNamesWhatWasRefusedByThen: who sees a revision in force sees in the
// same answer what of it is not.
func TestAppliedNamesWhatWasRefusedByThen(t *testing.T) {
	n := newNode(registration(), newMemory(), Options{})
	for i := range listedErrors + 1 {
		n.Refuse(fmt.Sprintf("/apisix/routes/%03d", i), errors.New("broken"))
	}
	n.InForce("/apisix/", 100, 0x12ff)
	var answer struct {
		Hash   map[string]string
		Errors []ObjectError
	}
	if err := json.Unmarshal(ask(n, "/status/applied?prefix=/apisix&revision=100").Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"/apisix/routes/032": 1, "/apisix/routes/x": 0} {
		if got := ask(n, "/status/applied?key="+key).Body.String(); strings.Count(got, `"key"`) != want || !strings.Contains(got, `"errors":[`) {
			t.Errorf("of %s: got %s, want %d errors", key, got, want)
		}
	}
	if got := answer.Hash["/apisix"]; got != "00000000000012ff" {
		t.Errorf("the hash is %q, want 00000000000012ff", got)
	}
	if want := (ObjectError{"/apisix/routes/032", "broken"}); len(answer.Errors) != listedErrors+1 || answer.Errors[listedErrors] != want {
		t.Errorf("got %d errors, want %d, the last one %+v", len(answer.Errors), listedErrors+1, want)
	}
}
