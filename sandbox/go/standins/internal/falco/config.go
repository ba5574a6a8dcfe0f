// The part of falco.yaml that the stand-in obeys.

package falco

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

type appendOutput struct {
	Match struct {
		Source string   `yaml:"source"`
		Rule   string   `yaml:"rule"`
		Tags   []string `yaml:"tags"`
	} `yaml:"match"`
	ExtraOutput     string `yaml:"extra_output"`
	ExtraFields     []any  `yaml:"extra_fields"`
	SuggestedOutput bool   `yaml:"suggested_output"`
}

type ruleSwitch struct {
	Enable  *ruleSelector `yaml:"enable"`
	Disable *ruleSelector `yaml:"disable"`
}

type ruleSelector struct {
	Rule string `yaml:"rule"`
	Tag  string `yaml:"tag"`
}

// Config is the document falco.yaml; keys that are absent here are read by the real Falco alone.
type Config struct {
	RulesFiles       []string       `yaml:"rules_files"`
	Rules            []ruleSwitch   `yaml:"rules"`
	RuleMatching     string         `yaml:"rule_matching"`
	Priority         string         `yaml:"priority"`
	WatchConfigFiles bool           `yaml:"watch_config_files"`
	ISO8601          bool           `yaml:"time_format_iso_8601"`
	JSONOutput       bool           `yaml:"json_output"`
	JSONText         bool           `yaml:"json_include_output_property"`
	JSONFields       bool           `yaml:"json_include_output_fields_property"`
	JSONTags         bool           `yaml:"json_include_tags_property"`
	AppendOutput     []appendOutput `yaml:"append_output"`
	LoadPlugins      []string       `yaml:"load_plugins"`
	StdoutOutput     struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"stdout_output"`
	FileOutput struct {
		Enabled  bool   `yaml:"enabled"`
		Filename string `yaml:"filename"`
	} `yaml:"file_output"`
	HTTPOutput struct {
		Enabled   bool   `yaml:"enabled"`
		URL       string `yaml:"url"`
		UserAgent string `yaml:"user_agent"`
	} `yaml:"http_output"`
	Webserver struct {
		Enabled    bool   `yaml:"enabled"`
		Port       int    `yaml:"listen_port"`
		Address    string `yaml:"listen_address"`
		Healthz    string `yaml:"k8s_healthz_endpoint"`
		Prometheus bool   `yaml:"prometheus_metrics_enabled"`
		TLS        bool   `yaml:"ssl_enabled"`
	} `yaml:"webserver"`
	Metrics struct {
		Enabled       bool `yaml:"enabled"`
		RulesCounters bool `yaml:"rules_counters_enabled"`
	} `yaml:"metrics"`
	Engine struct {
		Kind string `yaml:"kind"`
	} `yaml:"engine"`
}

// readConfig reads a falco.yaml; overrides are key=value pairs of -o, dots for levels.
func readConfig(file string, overrides []string) (*Config, error) {
	c := &Config{RuleMatching: "first", Priority: "debug", WatchConfigFiles: true, JSONText: true, JSONFields: true, JSONTags: true}
	c.StdoutOutput.Enabled = true
	c.Webserver.Enabled, c.Webserver.Port, c.Webserver.Address, c.Webserver.Healthz = true, 8765, "0.0.0.0", "/healthz"
	c.HTTPOutput.UserAgent = "falcosecurity/falco"
	c.Engine.Kind = "modern_ebpf"
	c.Metrics.RulesCounters = true
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, o := range overrides {
		key, value, found := strings.Cut(o, "=")
		if !found {
			return nil, fmt.Errorf("-o %s: key=value is wanted", o)
		}
		levels := strings.Split(key, ".")
		doc := strings.Builder{}
		for i, l := range levels {
			doc.WriteString(strings.Repeat("  ", i) + l + ":")
			if i < len(levels)-1 {
				doc.WriteString("\n")
			}
		}
		if err := yaml.Unmarshal([]byte(doc.String()+" "+value+"\n"), c); err != nil {
			return nil, fmt.Errorf("-o %s: %w", o, err)
		}
	}
	if c.RuleMatching != "first" && c.RuleMatching != "all" {
		return nil, fmt.Errorf("%s: rule_matching is %q; first or all is wanted", file, c.RuleMatching)
	}
	if len(c.RulesFiles) == 0 {
		return nil, fmt.Errorf("%s: you must specify at least one rules file: rules_files is empty", file)
	}
	for _, p := range c.LoadPlugins {
		if p != "container" {
			return nil, fmt.Errorf("%s: load_plugins names %q: the stand-in has no plugins (only the container plugin's fields are simulated)", file, p)
		}
	}
	if c.Webserver.TLS {
		return nil, fmt.Errorf("%s: webserver.ssl_enabled: the stand-in serves plain HTTP only", file)
	}
	return c, nil
}

// rulesFiles lists the files in load order: entries as named, directories by file name, what is absent left out.
func (c *Config) rulesFiles() []string {
	out := []string{}
	for _, entry := range c.RulesFiles {
		info, err := os.Stat(entry)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			out = append(out, entry)
			continue
		}
		inside, err := os.ReadDir(entry)
		if err != nil {
			continue
		}
		names := []string{}
		for _, e := range inside {
			full := filepath.Join(entry, e.Name())
			// ConfigMap volumes hold "..data" and the dated directories beside the files
			if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(e.Name(), "..") {
				names = append(names, full)
			}
		}
		sort.Strings(names)
		out = append(out, names...)
	}
	return out
}
