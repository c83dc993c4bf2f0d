package expr

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

type vars map[string]string

func (v vars) Var(name string) (string, bool) { s, ok := v[name]; return s, ok }
func (v vars) Value(name string) (any, bool)  { return v.Var(name) }

var request = vars{
	"arg_n": "10", "arg_s": "Blue", "http_x": "a-b", "remote_addr": "10.1.2.3", "remote6": "2001:db8::5",
	"server_addr": "203.0.113.10", "server_port": "80", "empty": "", "hex": "0x10",
}

func TestExpressionsHold(t *testing.T) {
	for _, c := range []struct {
		rule string
		want bool
	}{
		{``, true}, {`null`, true}, {`[]`, true},
		{`[["arg_s","==","Blue"]]`, true},
		{`[["arg_s","==","blue"]]`, false},
		{`[["arg_s","Blue"]]`, false}, // the short form lower-cases its right side
		{`[["http_x","A-B"]]`, true},
		{`[["arg_n","==",10]]`, true},
		{`[["arg_n","==","10"]]`, true},
		{`[["arg_n","==","010"]]`, false},
		{`[["arg_s","==",10]]`, false},
		{`[["hex","==",16]]`, true}, // as tonumber does
		{`[["hex",">","0xF"]]`, true},
		{`[["hex","<","0x"]]`, false},
		{`[["absent","==",null]]`, true},
		{`[["empty","==",null]]`, false},
		{`[["arg_s","~=","x"]]`, true},
		{`[["arg_s","~=",10]]`, true},
		{`[["absent","~=","x"]]`, true},
		{`[["arg_n",">",9]]`, true},
		{`[["arg_n",">",10]]`, false},
		{`[["arg_n",">=","10"]]`, true},
		{`[["arg_n","<",10.5]]`, true},
		{`[["arg_n","<=",9]]`, false},
		{`[["arg_s",">",1]]`, false},
		{`[["absent","<",1]]`, false},
		{`[["arg_s","~~","^B"]]`, true},
		{`[["arg_s","~~","^b"]]`, false},
		{`[["arg_s","~*","^b"]]`, true},
		{`[["absent","~~",".*"]]`, false},
		{`[["arg_s","in",["Red","Blue"]]]`, true},
		{`[["arg_s","in",["1","2","3","4","5","6","7","8","9","Blue"]]]`, true},
		{`[["arg_s","in",["1","2","3","4","5","6","7","8","9","blue"]]]`, false},
		{`[["absent","in",["1","2","3","4","5","6","7","8","9",""]]]`, false},
		{`[["absent","in",[""]]]`, false},
		{`[["absent","==",""]]`, false},
		{`[["absent","~=",""]]`, true},
		{`[["arg_s","~=","Blue"]]`, false},
		{`[["arg_n","in",[10]]]`, false},
		{`[["arg_n","IN",["10"]]]`, true},
		{`[["arg_s","has","Blue"]]`, false},
		{`[["remote_addr","ipmatch","10.0.0.0/8"]]`, true},
		{`[["remote_addr","ipmatch",["192.168.0.1","10.1.2.3"]]]`, true},
		{`[["remote_addr","ipmatch","10.1.2.4"]]`, false},
		{`[["remote6","ipmatch","2001:db8::/32"]]`, true},
		{`[["arg_s","ipmatch","10.0.0.0/8"]]`, false},
		{`[["arg_s","~~","^(?!Red)"]]`, true}, // what Go's library does not know
		{`[["arg_s","~~","^(?!Blue)"]]`, false},
		{`[["arg_s","~*","(?<=B)LUE$"]]`, true},
		{`[["arg_s","~~","(?<=B)LUE$"]]`, false},
		{`[["absent","~~","^(?!Red)"]]`, false},
		{`[["arg_n","~~",1]]`, true},
		{`[["arg_n","~~",["1"]]]`, false},
		{`[["arg_s","in","Blue"]]`, false},
		{`[["arg_s","in",[]]]`, false},
		{`[["remote_addr","ipmatch",[]]]`, false},
		{`[["absent","ipmatch","10.0.0.0/8"]]`, false},
		{`[["absent","in",["x"]]]`, false},
		{`[["absent","==",0]]`, false},
		{`[["absent","~=",0]]`, true},
		{`[["absent","~=",null]]`, false},
		{`[["arg_s","~=",null]]`, true},
		{`[["arg_s","==",true]]`, false},
		{`[["arg_n",">=",10]]`, true},
		{`[["arg_n","<=",10]]`, true},
		{`[["arg_n","<",10]]`, false},
		{`[["arg_n","<","Blue"]]`, false},
		{`[["arg_n","<",null]]`, false},
		{`[[5,"==",null]]`, true},
		{`[["arg_s","!","==","Blue"]]`, false},
		{`[["absent","!",">",1]]`, true},
		{`[["arg_s","!","IPMATCH","10.0.0.0/8"]]`, true},
		{`[["arg_s","!","in",["x"]]]`, true},
		{`["AND",["arg_n","==",10],["arg_s","==","x"]]`, false},
		{`["or",["arg_n","==",10],["arg_s","==","x"]]`, true},
		{`["!OR",["arg_n","==",10],["arg_s","==","x"]]`, false},
		{`["!AND",["arg_n","==",10],["arg_s","==","x"]]`, true},
		{`[["OR",["arg_n","==",1],["arg_s","==","Blue"]],["arg_n","==",10]]`, true},
		{`[["arg_n","==",10],["OR",["arg_n","==",1],["arg_s","==","Red"]]]`, false},
		{`[["arg_n","==",10],["arg_s","==","Red"],["http_x","==","a-b"]]`, false},
		{`[[["arg_n","==",10],["arg_s","==","Red"]],["arg_n","==",10]]`, false},
	} {
		e, err := compileWhole(c.rule)
		if err != nil {
			t.Errorf("compileWhole(%s): %v", c.rule, err)
			continue
		}
		if got := e.Eval(request); got != c.want {
			t.Errorf("%s = %v, want %v", c.rule, got, c.want)
		}
	}
}

func TestSlowPatternsGiveUp(t *testing.T) {
	e, err := compileWhole(`[["a","~~","^(?=x)(x+x+)+y$"]]`)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if e.Eval(vars{"a": strings.Repeat("x", 5000)}) {
		t.Error("found what is not there")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a search took %v", took)
	}
}

func TestBadExpressionsAreRefusedWithTheTextOfAPISIX(t *testing.T) {
	for rule, want := range map[string]string{
		`["arg_s","==","x"]`:                  ErrBrackets.Error(),
		`{"a":1}`:                             ErrBrackets.Error(),
		`[["arg_s"]]`:                         ErrTooShort.Error(),
		`["AND",["a","==","b"]]`:              ErrTooShort.Error(),
		`[["arg_s","=~","x"]]`:                "invalid operator '=~'",
		`[["arg_s",5,"x"]]`:                   "invalid operator '5'",
		`[["arg_s","!",5,"x"]]`:               "invalid operator '5'",
		`[["arg_s","!","!","x"]]`:             "invalid operator '!'",
		`[["arg_s","ipmatch",["::1",7]]]`:     ErrIP.Error(),
		`[["arg_s","ipmatch",null]]`:          ErrIP.Error(),
		`[["arg_s","?","==","x"]]`:            ErrNot.Error(),
		`[["arg_s","ipmatch","300.1.1.1"]]`:   ErrIP.Error(),
		`[["arg_s","==","x","y","z"]]`:        ErrInvalid.Error(),
		`["AND",["a","==","b"],"not a rule"]`: ErrBrackets.Error(),
	} {
		_, err := compileWhole(rule)
		if err == nil || err.Error() != want {
			t.Errorf("compileWhole(%s) = %v, want %q", rule, err, want)
		}
		if _, _, berr := compileText(rule); berr == nil {
			t.Errorf("Compile(%s) accepts what compileWhole refuses", rule)
		}
	}
	if _, err := compileWhole(`[["a","~~","("]]`); !errors.Is(err, ErrInvalid) {
		t.Errorf("a bracket that is not closed: %v, want it refused", err)
	}
}

func TestBindingIsTakenOnlyFromEqualitiesThatAlwaysHold(t *testing.T) {
	addr := netip.MustParseAddr("203.0.113.10")
	for _, c := range []struct {
		rule string
		want Binding
		rest bool // something is left
	}{
		{`[["server_addr","==","203.0.113.10"],["server_port","==","80"]]`, Binding{addr, 80}, false},
		{`[["server_addr","==","203.0.113.10"],["server_port","==",80]]`, Binding{addr, 80}, false},
		{`["and",["server_port","==",80],["arg_n","==",10]]`, Binding{Port: 80}, true},
		{`["OR",["server_port","==",80],["arg_n","==",10]]`, Binding{}, true},
		{`[["server_port","==","080"]]`, Binding{}, true},
		{`[["server_port","==",80],["server_port","==",81]]`, Binding{Port: 80}, true},
		{`[["server_port","~=",80]]`, Binding{}, true},
		{`[["server_port","!","==",80]]`, Binding{}, true},
		{`[["server_addr","==","::ffff:1.2.3.4"]]`, Binding{}, true},
		{``, Binding{}, false},
	} {
		e, got, err := compileText(c.rule)
		if err != nil || got != c.want || (e != nil) != c.rest {
			t.Errorf("%s: binding %v rest %v err %v, want %v %v", c.rule, got, e != nil, err, c.want, c.rest)
		}
	}
}

// FuzzBoundMeansTheSame: binding and rest together are the whole expression.
func FuzzBoundMeansTheSame(f *testing.F) {
	f.Add(`[["server_addr","==","203.0.113.10"],["server_port","==",80],["arg_n",">",3]]`, "203.0.113.10", uint16(80))
	f.Add(`["AND",["server_port","==",80],["server_port","==",81]]`, "203.0.113.10", uint16(81))
	f.Fuzz(func(t *testing.T, rule, addr string, port uint16) {
		a, err := netip.ParseAddr(addr)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return
		}
		v := vars{"server_addr": a.String(), "server_port": strconv.Itoa(int(port)), "arg_n": "7"}
		whole, err := compileWhole(rule)
		rest, b, berr := compileText(rule)
		if (err == nil) != (berr == nil) {
			t.Fatalf("whole: %v, Compile: %v", err, berr)
		}
		if err != nil {
			return
		}
		bound := (!b.Addr.IsValid() || b.Addr == a) && (b.Port == 0 || b.Port == port)
		if got, want := bound && rest.Eval(v), whole.Eval(v); got != want {
			t.Fatalf("%s at %v:%d: bound %v, whole %v", rule, a, port, got, want)
		}
	})
}

// compileText compiles the JSON of a rule.
func compileText(raw string) (*Expr, Binding, error) {
	rule, err := decode([]byte(raw))
	if err != nil {
		return nil, Binding{}, err
	}
	return Compile(rule)
}

// compileWhole is compileText without taking anything out.
func compileWhole(raw string) (*Expr, error) {
	rule, err := decode([]byte(raw))
	if err != nil {
		return nil, err
	}
	return compileRule(rule)
}
