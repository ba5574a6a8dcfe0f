package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type fields map[string]any

func (f fields) Field(name string) (any, bool) {
	v, ok := f[name]
	return v, ok
}

const head = "- list: shells\n  items: [sh, bash]\n- macro: spawned\n  condition: evt.type = execve\n"

func load(t *testing.T, text string) *Ruleset {
	t.Helper()
	set := New()
	if r := set.Load("test.yaml", text); len(r.Errors) > 0 {
		t.Fatalf("unexpected error: %v", r.Errors[0])
	}
	return set
}

func rule(condition string) string {
	return head + "- rule: r\n  desc: d\n  condition: >\n    " + condition + "\n  output: o\n  priority: INFO\n"
}

func TestConditions(t *testing.T) {
	event := fields{"evt.type": "execve", "proc.name": "bash", "proc.cmdline": "bash -c 'cat /etc/shadow'", "proc.tty": int64(34816), "fd.name": "/etc/pam.d/x",
		"evt.is_open_read": true, "proc.aname[2]": "runc", "container.id": "abc"}
	for condition, want := range map[string]bool{
		"spawned and proc.name in (shells)":                   true,
		"spawned and not proc.name in (shells, zsh)":          false,
		"proc.name = bash and proc.tty != 0":                  true,
		"proc.tty > 1 and proc.tty <= 34816":                  true,
		"proc.cmdline contains \"cat /etc\"":                  true,
		"proc.cmdline icontains CAT":                          true,
		"proc.cmdline startswith bash":                        true,
		"proc.cmdline endswith 'shadow''":                     false,
		"proc.cmdline endswith shadow\\'":                     false,
		"fd.name pmatch (/etc/pam.d)":                         true,
		"fd.name pmatch (/etc/pam)":                           false,
		"fd.name glob '/etc/*/?'":                             true,
		"fd.name regex '/etc/[a-z.]+/x'":                      true,
		"fd.name regex '/etc'":                                false,
		"fd.name exists and not fd.num exists":                true,
		"fd.num != 3":                                         false, // a missing field makes != false, too
		"not fd.num = 3":                                      true,
		"evt.is_open_read=true and proc.aname[2]=runc":        true,
		"proc.name = sh or proc.name = bash and proc.tty = 1": false,
		"(proc.name = sh or proc.name=bash) and proc.tty>0":   true,
		"toupper(proc.name) = BASH":                           true,
		"container.id != host":                                true,
		"proc.name in ()":                                     false,
		"not not spawned":                                     true,
	} {
		if strings.Contains(condition, "'shadow''") || strings.Contains(condition, "\\'") {
			continue // quoting is judged in TestRefused
		}
		set := load(t, rule(condition))
		if got := set.Rules[0].Tree.Eval(event); got != want {
			t.Errorf("%s: got %v", condition, got)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, code := range map[string]string{
		"a: b":      "LOAD_ERR_YAML_VALIDATE",
		"- a\n- b":  "LOAD_ERR_YAML_VALIDATE",
		"- rule: [": "LOAD_ERR_YAML_PARSE",
		"- rule: r": "LOAD_ERR_YAML_VALIDATE",
		"- rule: r\n  condition: evt.type=open\n  desc: d\n  output: o\n  priority: LOUD": "LOAD_ERR_YAML_VALIDATE",
		"- macro: m\n  append: true\n  condition: evt.type=open":                          "LOAD_ERR_YAML_VALIDATE",
		"- list: l":                        "LOAD_ERR_YAML_VALIDATE",
		rule("nosuch"):                     "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.nosuch = 1"):            "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.name[1] = 1"):           "LOAD_ERR_COMPILE_CONDITION",
		rule("evt.arg = 1"):                "LOAD_ERR_COMPILE_CONDITION",
		rule("evt.type = nosuchcall"):      "LOAD_ERR_COMPILE_CONDITION",
		rule("spawned and"):                "LOAD_ERR_COMPILE_CONDITION",
		rule("spawned and (proc.name = x"): "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.name = 'x"):             "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.name in sh"):            "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.name ~ sh"):             "LOAD_ERR_COMPILE_CONDITION",
		rule("fd.num > many"):              "LOAD_ERR_COMPILE_CONDITION",
		rule("proc.name regex '('"):        "LOAD_ERR_COMPILE_CONDITION",
		strings.Replace(rule("spawned"), "output: o", "output: x %no.such", 1): "LOAD_ERR_COMPILE_OUTPUT",
	} {
		r := New().Load("f.yaml", text)
		if len(r.Errors) != 1 || r.Errors[0].Code != code {
			t.Errorf("%q: wanted %s, got %v", text, code, r.Errors)
		}
	}
}

func TestErrorHasAPlace(t *testing.T) {
	r := New().Load("f.yaml", rule("nosuch"))
	f := r.Errors[0]
	if f.Line != 7 || f.Column != 14 || f.ItemName != "r" || !strings.Contains(f.Message, "nosuch") {
		t.Errorf("%+v", f)
	}
}

func TestMacrosAreSeenByLaterMacrosAndByEveryRule(t *testing.T) {
	early := "- rule: r\n  desc: d\n  condition: late\n  output: o\n  priority: INFO\n- macro: late\n  condition: evt.type = open\n"
	load(t, early)
	r := New().Load("f.yaml", "- macro: a\n  condition: b\n- macro: b\n  condition: evt.type = open\n"+
		"- rule: r\n  desc: d\n  condition: a\n  output: o\n  priority: INFO\n")
	if len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Message, "Undefined macro 'b'") {
		t.Errorf("%v", r.Errors)
	}
}

func TestOverridesAcrossFiles(t *testing.T) {
	set := load(t, rule("spawned"))
	second := "- rule: r\n  condition: and proc.name = cat\n  tags: [x]\n  output: new\n  override: {condition: append, tags: append, output: replace}\n" +
		"- list: shells\n  items: [cat]\n  override: {items: append}\n"
	if r := set.Load("two.yaml", second); len(r.Errors) > 0 {
		t.Fatal(r.Errors)
	}
	got := set.Rules[0]
	if got.Output != "new" || len(got.Tags) != 1 || !got.Tree.Eval(fields{"evt.type": "execve", "proc.name": "cat"}) || got.Tree.Eval(fields{"evt.type": "execve", "proc.name": "sh"}) {
		t.Errorf("%+v", got)
	}
	if r := set.Load("three.yaml", "- rule: r\n  enabled: false\n"); len(r.Errors) > 0 || set.Rules[0].Enabled {
		t.Error("enabled: false alone switches a rule off")
	}
}

func TestAppendIsTextSoAnOrIsNotScoped(t *testing.T) {
	set := load(t, rule("proc.name = a or proc.name = b"))
	set.Load("two.yaml", "- rule: r\n  condition: and k8s.ns.name in (prod)\n  override: {condition: append}\n")
	if !set.Rules[0].Tree.Eval(fields{"proc.name": "a", "k8s.ns.name": "dev"}) || set.Rules[0].Tree.Eval(fields{"proc.name": "b", "k8s.ns.name": "dev"}) {
		t.Error("the first alternative fires in every namespace, the second only in prod")
	}
}

func TestExceptions(t *testing.T) {
	text := rule("spawned") + "  exceptions:\n  - {name: one, fields: proc.name, values: [cat, shells]}\n" +
		"  - {name: two, fields: [proc.name, fd.name], comps: [=, startswith], values: [[vi, /tmp]]}\n"
	tree := load(t, text).Rules[0].Tree
	for _, c := range []struct {
		name, file string
		want       bool
	}{{"cat", "", false}, {"sh", "", false}, {"vi", "/tmp/x", false}, {"vi", "/etc/x", true}, {"ls", "", true}} {
		if got := tree.Eval(fields{"evt.type": "execve", "proc.name": c.name, "fd.name": c.file}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestFormat(t *testing.T) {
	text, values := Format("*x %proc.name (%proc.aname[2]) %fd.name.", fields{"proc.name": "cat", "fd.name": "/a"})
	if text != "x cat (<NA>) /a." || values["proc.aname[2]"] != nil || len(values) != 3 {
		t.Errorf("%q %v", text, values)
	}
}

func TestUnknownSourceIsSkippedWithAWarning(t *testing.T) {
	r := New().Load("f.yaml", strings.Replace(rule("ka.verb = create"), "priority", "source: k8s_audit\n  priority", 1))
	if len(r.Errors) != 0 || len(r.Warnings) == 0 || r.Warnings[0].Code != "LOAD_UNKNOWN_SOURCE" {
		t.Errorf("%+v", r)
	}
}

func TestRulesOfTheImageLoad(t *testing.T) {
	const file = "../../../../standins/image/etc/falco/falco_rules.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if set := load(t, string(text)); len(set.Rules) < 3 {
		t.Error("rules are missing")
	}
}

// What the sample inventory ships must load here, and what processes and reads tell must fire.
func TestShippedRules(t *testing.T) {
	files, err := filepath.Glob("../../../../../inventory/files/rules/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("no shipped rules: %v %v", files, err)
	}
	set := New()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := set.Load(file, string(text)); len(r.Errors) > 0 {
			t.Fatalf("%s: %v", file, r.Errors[0])
		}
	}
	pod := func(more fields) fields {
		event := fields{"container.id": "abc", "k8s.ns.name": "shop", "container.image.repository": "registry.example/web", "evt.failed": false,
			"proc.tty": int64(34816), "proc.pname": "sh", "proc.exepath": "/bin/x", "proc.is_exe_upper_layer": false, "proc.is_exe_from_memfd": false}
		for name, value := range more {
			event[name] = value
		}
		return event
	}
	for want, event := range map[string]fields{
		"Password hashes read by an untrusted program":       pod(fields{"evt.type": "openat", "evt.is_open_read": true, "fd.name": "/etc/shadow", "proc.name": "cat"}),
		"Accounts read from a shell in a container":          pod(fields{"evt.type": "openat", "evt.is_open_read": true, "fd.name": "/etc/passwd", "proc.name": "cat"}),
		"Private keys or passwords searched":                 pod(fields{"evt.type": "execve", "proc.name": "find", "proc.args": "/ -name id_rsa"}),
		"Shell at a terminal in a container":                 pod(fields{"evt.type": "execve", "proc.name": "sh"}),
		"File shown by a shell at a terminal in a container": pod(fields{"evt.type": "execve", "proc.name": "cat"}),
		"Package manager started in a container":             pod(fields{"evt.type": "execve", "proc.name": "apk"}),
		"Network tool started in a container":                pod(fields{"evt.type": "execve", "proc.name": "nmap"}),
		"":                                                   pod(fields{"evt.type": "openat", "evt.is_open_read": true, "fd.name": "/etc/shadow", "proc.name": "sshd", "proc.exepath": "/usr/sbin/sshd"}),
	} {
		fired := []string{}
		for _, r := range set.Rules {
			if r.Tree.Eval(event) {
				fired = append(fired, r.Name)
			}
		}
		if got := strings.Join(fired, ", "); got != want {
			t.Errorf("%v: %q fired, not %q", event, got, want)
		}
	}
}
