"""What scripts/bench dataplane compares: each mode is a way for the middle host to treat the same packets."""
from dataclasses import dataclass

ALLOWED, DENIED = "198.51.100.10", "198.51.100.200"
DENIED_SET = "set denied { type ipv4_addr; flags interval; elements = { 198.51.100.128/25 }; }"

# For the appliance; DENIED_SET says the same to nftables.
POLICY = """\
default_policy: deny
source_groups:
  - id: clients
    mode: enforce
    sources: {cidrs: [10.0.0.0/24]}
    rules:
      - {id: blocked-half, action: deny, match: {dst_cidrs: [198.51.100.128/25]}}
      - {id: rest, action: allow, match: {}}
"""


@dataclass
class Mode:
    name: str
    lab: str
    destination: str = ALLOWED
    ruleset: str = ""
    drop_at_once: bool = False  # bare XDP_DROP on the inside port

    @property
    def forwards(self):
        return self.destination == ALLOWED and not self.drop_at_once


FORWARDING = Mode("kernel forwarding", "kernel")
MASQUERADE = Mode("nft masquerade", "kernel", ruleset="""
    table ip nw { chain out { type nat hook postrouting priority 100; oifname "outside" masquerade; }; }""")
OUR_NAT = Mode("neuwerk established NAT", "neuwerk")
RAW_DROP = Mode("nft raw drop", "kernel", DENIED, ruleset=f"""
    table ip nw {{ {DENIED_SET}
      chain early {{ type filter hook prerouting priority -300; ip daddr @denied counter drop; }}; }}""")
INGRESS_DROP = Mode("nft netdev-ingress drop", "kernel", DENIED, ruleset=f"""
    table netdev nw {{ {DENIED_SET}
      chain early {{ type filter hook ingress device inside priority 0; ip daddr @denied counter drop; }}; }}""")
OUR_DENY = Mode("neuwerk deny", "neuwerk", DENIED)
BARE_DROP = Mode("bare XDP_DROP", "kernel", drop_at_once=True)

MODES = [FORWARDING, MASQUERADE, OUR_NAT, RAW_DROP, INGRESS_DROP, OUR_DENY, BARE_DROP]
BASES = {"forwarding": FORWARDING, "masquerade": MASQUERADE, "raw drop": RAW_DROP, "ingress drop": INGRESS_DROP}

# What must hold: our mode, its base, the highest ratio of their medians.
GOALS = [(OUR_NAT, MASQUERADE, 0.45), (OUR_DENY, INGRESS_DROP, 0.30)]
