"""The conformance suite: what every calendar connector and every CRM connector must do, as tests.

`pytest --pyargs syncline.conformance` runs it on the memory connectors. Name your own with the environment variables
SYNCLINE_REPLICA_WORLD and SYNCLINE_CRM_WORLD (`package.module:callable`), or subclass `ReplicaConformance` and
`CrmConformance` (for files those of `attaching`) and override the fixtures `replica_world` and `crm_world`. A world is
how the suite plays the people on the tested side (`worlds`). It imports core, ports and errors only.
"""
