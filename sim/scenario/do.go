package scenario

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// healAll is the name that stands for every fault.
const healAll = "all"

// title is the word of the step and what it does, for the terminal.
func (s Step) title() (word, what string) {
	switch {
	case s.Inject != nil:
		return "inject", s.Inject.Fault().String()
	case s.Heal != nil:
		return "heal", *s.Heal
	case s.Wait != nil:
		return s.Wait.title()
	case s.Publish != nil:
		return "publish", *s.Publish
	case s.Retarget != nil:
		return "retarget", fmt.Sprintf("%s to %s", s.Retarget.Service, join(s.Retarget.To))
	case s.Edit != nil:
		return "edit", fmt.Sprintf("%s %d times", s.Edit.Service, s.Edit.Times)
	case s.Edits != nil:
		return "edits", s.Edits.Service
	case s.StopEdits != nil:
		return "stop-edits", *s.StopEdits
	case s.Rule != nil:
		return "rule", fmt.Sprintf("%s: %s to %s", s.Rule.Service, s.Rule.Path, cmp.Or(s.Rule.Group, s.Rule.Service))
	case s.DropRule != nil:
		return "drop-rule", fmt.Sprintf("%s: %s", s.DropRule.Service, s.DropRule.Name)
	case s.Misdirect != nil:
		return "misdirect", fmt.Sprintf("group %s to port %d", s.Misdirect.Group, s.Misdirect.Port)
	case s.Start != nil:
		return "start", *s.Start
	case s.Stop != nil:
		return "stop", *s.Stop
	case s.Exec != nil:
		return "exec", fmt.Sprintf("%s: %s", s.Exec.On, strings.Join(s.Exec.Run, " "))
	case s.Havoc != nil:
		return "havoc", fmt.Sprintf("%d edits", s.Havoc.Edits)
	case s.Admins != nil:
		return "admins", fmt.Sprintf("%d edit %d routes", s.Admins.Count, s.Admins.Keys)
	default:
		return "say", s.Say
	}
}

func join(sels []topology.Selector) string {
	var out []string
	for _, s := range sels {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

// do carries out a step and returns what it measured.
func (r *runner) do(ctx context.Context, s Step) (string, error) {
	switch {
	case s.Inject != nil:
		return r.inject(ctx, s.Inject.Fault(), s.As)
	case s.Heal != nil && *s.Heal == healAll:
		return "", r.heal(ctx)
	case s.Heal != nil:
		return "", r.faults[*s.Heal].Heal(ctx)
	case s.Wait != nil:
		return r.wait(ctx, s.Wait, s.As)
	case s.Publish != nil:
		return r.publish(ctx, *s.Publish)
	case s.Retarget != nil:
		op, err := r.region.Retarget(ctx, r.services[s.Retarget.Service], s.Retarget.Await, s.Retarget.To...)
		return r.changed(s.Retarget.Service, op, err)
	case s.Edit != nil:
		return r.edit(ctx, s.Edit)
	case s.Edits != nil:
		r.series[s.As] = r.startEdits(s.Edits)
		return "", nil
	case s.StopEdits != nil:
		return r.stopSeries(ctx, *s.StopEdits)
	case s.Rule != nil:
		op, err := r.region.SetRule(ctx, r.services[s.Rule.Service], act.Rule{Name: s.Rule.Name, Path: s.Rule.Path, Priority: s.Rule.Priority, Group: s.Rule.Group})
		return r.changed(s.Rule.Service, op, err)
	case s.DropRule != nil:
		op, err := r.region.DropRule(ctx, r.services[s.DropRule.Service], s.DropRule.Name)
		return r.changed(s.DropRule.Service, op, err)
	case s.Misdirect != nil:
		op, err := r.region.Misdirect(ctx, r.services[s.Misdirect.Service], s.Misdirect.Group, uint16(s.Misdirect.Port), s.Misdirect.Targets)
		return r.changed(s.Misdirect.Service, op, err)
	case s.Start != nil:
		for _, l := range r.s.File.Traffic {
			if l.Name == *s.Start {
				return "", r.begin(ctx, l)
			}
		}
		return "", fmt.Errorf("no load %q", *s.Start)
	case s.Stop != nil:
		_, err := r.streams[*s.Stop].Stop(ctx)
		return "", err
	case s.Exec != nil:
		return r.exec(ctx, s.Exec)
	case s.Havoc != nil:
		return r.havoc(ctx, s.Havoc)
	case s.Admins != nil && s.As != "":
		r.series[s.As] = r.startAdmins(s.Admins)
		return "", nil
	case s.Admins != nil:
		all := r.startAdmins(s.Admins)
		select {
		case <-all.done:
		case <-ctx.Done():
			all.end()
			<-all.done
			return "", context.Cause(ctx)
		}
		return all.told(ctx)
	default:
		return "", nil
	}
}

func (r *runner) inject(ctx context.Context, f fault.Fault, name string) (string, error) {
	a, err := r.region.Lab.InjectAs(ctx, f, name)
	if err != nil {
		return "", err
	}
	if name != "" {
		r.faults[name] = a
	}
	if n := len(a.Touches()); n != 1 {
		return fmt.Sprintf("%d nodes", n), nil
	}
	return "", nil
}

func (r *runner) publish(ctx context.Context, name string) (string, error) {
	for _, svc := range r.s.File.Objects.Services {
		if svc.Name != name {
			continue
		}
		s, op, err := r.region.Publish(ctx, svc.app())
		if err != nil {
			return "", err
		}
		r.services[name] = s
		if svc.Later {
			return r.changed(name, op, nil)
		}
		return inForce(r.region.AwaitInForce(ctx, s, op))
	}
	return "", fmt.Errorf("no service %q", name)
}

// app is the service as acts have it.
func (s Service) app() act.App {
	a := act.App{Name: s.Name, Host: s.Host, VIP: s.VIP, VPC: s.VPC, Target: s.Targets}
	if h := s.Health; h != nil {
		a.Check = &tenant.HealthCheck{Type: "tcp", Path: h.Path, Interval: seconds(h.Interval), Timeout: seconds(h.Timeout), Rise: h.Rise, Fall: h.Fall}
		if h.Path != "" {
			a.Check.Type = "http"
		}
	}
	return a
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// inForce says how long a change took to be in force everywhere.
func inForce(op tenant.Operation, err error) (string, error) {
	if err != nil || op.Nodes == 0 {
		return "", err
	}
	return fmt.Sprintf("in force on %d nodes, the slowest after %d ms", op.Nodes, op.SlowestMS), nil
}

// changed remembers the last change of a service.
func (r *runner) changed(service string, op tenant.Operation, err error) (string, error) {
	if err == nil && op.ID != "" {
		r.changes[service] = op
	}
	return "", err
}

func (r *runner) exec(ctx context.Context, e *Exec) (string, error) {
	n, err := r.region.Node(e.On)
	if err != nil {
		return "", err
	}
	out, err := n.Exec(ctx, e.Run...)
	if err != nil {
		return "", err
	}
	if out.Exit.Code != e.Code {
		return "", fmt.Errorf("exit code %d, want %d: %s", out.Exit.Code, e.Code, firstLine(append(out.Stderr, out.Stdout...)))
	}
	return firstLine(out.Stdout), nil
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	const most = 120
	if len(line) > most {
		line = line[:most] + "…"
	}
	return line
}
