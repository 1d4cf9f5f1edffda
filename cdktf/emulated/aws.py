"""An emulated AWS on a free port of the loopback, for the proof in deployment.test.ts.

It is moto, with the few answers mended that would otherwise show as changes in a second plan. It prints its
address on the first line, then the name of every call that Terraform makes. It ends when its standard input ends, so that
it cannot outlive who started it.
"""

import json
import sys
from threading import Lock

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.rds.models import DBCluster
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

printing = Lock()


def say(line):
    with printing:
        print(line, flush=True)


def replace(owner, name):
    """Replaces a method by the decorated function, which gets the original as its first argument."""

    def decorate(function):
        original = getattr(owner, name)
        setattr(owner, name, lambda self, *args, **kwargs: function(original, self, *args, **kwargs))

    return decorate


def say_call(response, action):
    if "Terraform" in response.headers.get("User-Agent", ""):
        say(f"{response.boto3_service_name}:{action}")


@replace(BaseResponse, "call_action")
def say_any_call(original, self):
    say_call(self, self._get_action())
    return original(self)


@replace(S3Response, "_authenticate_and_authorize_s3_action")
def say_call_of_s3(original, self, *args, **kwargs):
    say_call(self, self.data.get("Action"))
    return original(self, *args, **kwargs)


@replace(IAMPolicyStatement, "is_action_permitted")
def know_no_tls(original, self, *args, **kwargs):
    # The buckets refuse plain HTTP, which is all that there is on the loopback.
    if "aws:SecureTransport" in json.dumps(self._statement.get("Condition", {})):
        return PermissionResult.NEUTRAL
    return original(self, *args, **kwargs)


# The tags of scalable targets, which moto neither keeps nor answers.
tags_of_targets = {}


@replace(ApplicationAutoScalingResponse, "register_scalable_target")
def keep_tags(original, self):
    answer = original(self)
    if tags := self._get_param("Tags"):
        tags_of_targets[json.loads(answer)["ScalableTargetARN"]] = tags
    return answer


def list_tags_for_resource(self):
    return json.dumps({"Tags": tags_of_targets.get(self._get_param("ResourceARN"), {})})


ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource


# Descriptions of rules that name a group or a prefix list, which moto drops.
@replace(SecurityGroupRule, "__init__")
def keep_description(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    lists = [value for value in (*args, *kwargs.values()) if isinstance(value, dict) and "PrefixListId" in value]
    self.prefix_list_description = lists[0].get("Description") if lists else None


SecurityGroupRule.description = property(
    lambda self: self.ip_range.get("Description")
    or self.source_group.get("Description")
    or self.prefix_list_description
)

# A bucket keeps its versions when versioning is suspended; moto then fails to delete more than one of an object.
FakeBucket.is_versioned = property(lambda self: self.versioning_status in ("Enabled", "Suspended"))

# Only clusters of Serverless v1 have this; moto answers it for every cluster.
DBCluster.scaling_configuration_info = property(lambda self: None)


# What moto forgets of a service.
forgotten = ["availabilityZoneRebalancing", "deploymentConfiguration", "enableECSManagedTags", "healthCheckGracePeriodSeconds"]


def remember_service(original, self):
    answer = original(self)
    for name in forgotten:
        value = self._get_param(name)
        if value is not None:
            setattr(answer.result["service"], camelcase_to_underscores(name), value)
    return answer


replace(EC2ContainerServiceResponse, "create_service")(remember_service)
replace(EC2ContainerServiceResponse, "update_service")(remember_service)

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
say("http://%s:%d" % server.get_host_and_port())
sys.stdin.read()
