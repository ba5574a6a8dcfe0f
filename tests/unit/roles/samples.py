"""A value for each public variable of each role that is no string, unlike its default where that can be."""

from __future__ import annotations

from typing import Any

import yaml

from ..test_roles import ROOT

FLOW = {"name": "web", "from": {"namespace": "a"}, "to": {"namespace": "b"}, "ports": [80, "dns/UDP"]}
SAMPLES: dict[str, dict[str, Any]] = {
    "falco": {
        "falco_affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
        "falco_append_output": [{"match": {"source": "syscall"}, "extra_output": "on %evt.hostname"}],
        "falco_artifacts": ["falco-rules:4", "falco-incubating-rules:4"],
        "falco_artifacts_follow": True,
        "falco_artifacts_indexes": [{"name": "ours", "url": "https://index.example/index.yaml"}],
        "falco_artifacts_install": True,
        "falco_buffered_outputs": True,
        "falco_custom_fields": {"team": "blue", "level": 3},
        "falco_driver_buffer_preset": 6,
        "falco_driver_cpus_per_buffer": 4,
        "falco_driver_groups": [{"name": "old", "driver": "kmod", "nodes": ["worker01"]}],
        "falco_driver_least_privileged": True,
        "falco_extra_values": {"falco": {"syscall_event_drops": {"rate": 0.5, "simulate_drops": False}}},
        "falco_grafana_dashboard": True,
        "falco_image_pull_secrets": ["mirror"],
        "falco_images": {"falco": {"tag": "0.44.0"}},
        "falco_kubernetes_metadata": True,
        "falco_namespace_labels": {"pod-security.kubernetes.io/enforce": "privileged", "team": "blue"},
        "falco_node_selector": {"kubernetes.io/os": "linux"},
        "falco_outputs": {"slack": {"webhookurl": 'https://hooks.example/it\'s/"quoted"', "minimumpriority": "error"}},
        "falco_own_rules_config_maps": ["falco-own-rules-1"],
        "falco_pending_release_seconds": 20,
        "falco_plugins": [{"name": "json", "library_path": "libjson.so", "init_config": {"deep": [1, None, True]}}],
        "falco_pod_annotations": {"a": "true"},
        "falco_pod_labels": {"b": "1"},
        "falco_proxy": {"https": "http://proxy:3128"},
        "falco_redis_external": {"host": "redis.example", "port": 6380},
        "falco_redis_nodes": ["worker02"],
        "falco_redis_resources": {"limits": {"memory": "1Gi"}},
        "falco_resources": {"requests": {"cpu": "100m"}},
        "falco_rollback_on_failure": False,
        "falco_rule_files": ["/etc/falco/falco_rules.yaml"],
        "falco_service_monitor": True,
        "falco_service_monitor_labels": {"release": "prometheus"},
        "falco_sidekick_enabled": True,
        "falco_sidekick_more": [
            {"name": "oncall", "replicas": 2, "outputs": {"slack": {"webhookurl": "https://hooks.example/oncall"}}},
            {"name": "audit", "outputs_existing_secret": "audit-outputs"},
        ],
        "falco_sidekick_replicas": 1,
        "falco_sidekick_resources": {"limits": {"cpu": "1"}},
        "falco_sidekick_tls_days": 90,
        "falco_syscall_drop_actions": ["log"],
        "falco_syscall_drop_threshold": 0.25,
        "falco_templated_fields": {"pod": "$k8s.pod.name"},
        "falco_timeout_seconds": 60,
        "falco_tolerations": [{"operator": "Exists"}],
        "falco_ui_enabled": False,
        "falco_ui_ingress": {"host": "falco.example"},
        "falco_ui_node_port": 30081,
        "falco_ui_replicas": 3,
        "falco_uninstall_data": True,
    },
    "falco_rules": {
        "falco_rules_base_files": ["/srv/falco_rules.yaml"],
        "falco_rules_cluster_files": ["/srv/rules/here"],
        "falco_rules_config_maps": ["one", "two"],
        "falco_rules_disabled": ["Read sensitive file, untrusted"],
        "falco_rules_disabled_tags": ["maturity_sandbox"],
        "falco_rules_exceptions": [
            {"rule": "R", "exceptions": [{"name": "e", "fields": ["proc.name"], "values": [["sh"]]}]}
        ],
        "falco_rules_extra": [{"list": "shells", "items": ["sh", "it's"]}],
        "falco_rules_falco_output": {"fields": "/srv/falco/fields.txt"},
        "falco_rules_files": ["/srv/rules"],
        "falco_rules_plugin_descriptions": [{"name": "doorbell", "fields": [{"name": "bell.rings", "type": "uint64"}]}],
        "falco_rules_scope": {"namespaces": ["prod"], "rules": "own"},
        "falco_rules_second_opinion": False,
        "falco_rules_tests": ["/srv/rules_tests"],
        "falco_rules_timeout_seconds": 30,
        "falco_rules_warnings_are_errors": True,
    },
    "network_policies": {
        "network_policies_api_server_addresses": ["192.0.2.1"],
        "network_policies_canary": False,
        "network_policies_compare_with_analysis": False,
        "network_policies_definitions": [{"kind": "NetworkPolicy", "spec": {"podSelector": {}}}],
        "network_policies_files": ["/srv/policies/*.yaml"],
        "network_policies_forbidden_flows": [FLOW],
        "network_policies_lease_wait": 5.5,
        "network_policies_namespaces": [{"name": "prod", "create": False, "policies": ["dns", {"type": "deny_all"}]}],
        "network_policies_probe": False,
        "network_policies_probe_image_pull_secrets": ["mirror"],
        "network_policies_probe_listen": True,
        "network_policies_probe_pods_per_workload": 1,
        "network_policies_prune": False,
        "network_policies_later_flows": [],
        "network_policies_required_flows": [FLOW],
        "network_policies_settle_seconds": 2.5,
    },
    "node_prep": {
        "node_prep_avoid_kernels": [{"driver": "kmod", "kernel": "4.18.*", "reason": "it hangs"}],
        "node_prep_drain_options": {"force": True, "wait_timeout": 30},
        "node_prep_driver_required": False,
        "node_prep_firewalld_ports": ["30081/tcp"],
        "node_prep_kmod_packages": ["gcc", "make"],
        "node_prep_modules_signed": True,
        "node_prep_packages_min_free_mb": 10,
        "node_prep_reboot_timeout_seconds": 60,
        "node_prep_redis_gid": 1001,
        "node_prep_redis_min_free_mb": 5,
        "node_prep_redis_uid": 1000,
        "node_prep_remove_data": True,
        "node_prep_selinux_booleans": ["virt_use_nfs"],
        "node_prep_sysctl_minimums": {"fs.inotify.max_user_instances": 1024},
        "node_prep_time_skew_max_seconds": 1,
    },
    "verify": {
        "verify_alert_destinations": [{"name": "slack", "receiver": {"namespace": "a", "service": "b", "port": 80}}],
        "verify_alert_timeout_seconds": 5,
        "verify_history": 5,
        "verify_alert_port": 2802,
        "verify_fail": False,
        "verify_tell": True,
        "verify_notes": ["a note"],
        "verify_stages": ["falco", "network_policies"],
        "verify_trigger_timeout_seconds": 6,
        "verify_triggers": [
            {"name": "t", "rule": "R", "namespace": "n", "command": ["sh", "-c", "echo 'a b'"], "tty": True},
            {"name": "u", "rule": "R", "namespace": "n", "command": ["true"], "expect_alert": False},
        ],
    },
}


def options(role: str) -> dict[str, Any]:
    """What a role declares of its variables."""
    document = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    found: dict[str, Any] = document["argument_specs"]["main"]["options"]
    return found
