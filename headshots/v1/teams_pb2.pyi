import datetime

from headshots.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headshots.v1 import jobs_pb2 as _jobs_pb2
from headshots.v1 import shoots_pb2 as _shoots_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TeamFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEAM_FAULT_UNSPECIFIED: _ClassVar[TeamFault]
    TEAM_FAULT_NOT_MEASURED: _ClassVar[TeamFault]
    TEAM_FAULT_NOT_ACCEPTED: _ClassVar[TeamFault]
    TEAM_FAULT_EYE_LINE: _ClassVar[TeamFault]
    TEAM_FAULT_HEAD_HEIGHT: _ClassVar[TeamFault]
    TEAM_FAULT_BACKDROP: _ClassVar[TeamFault]
    TEAM_FAULT_LIGHT: _ClassVar[TeamFault]
TEAM_FAULT_UNSPECIFIED: TeamFault
TEAM_FAULT_NOT_MEASURED: TeamFault
TEAM_FAULT_NOT_ACCEPTED: TeamFault
TEAM_FAULT_EYE_LINE: TeamFault
TEAM_FAULT_HEAD_HEIGHT: TeamFault
TEAM_FAULT_BACKDROP: TeamFault
TEAM_FAULT_LIGHT: TeamFault

class TeamMeasures(_message.Message):
    __slots__ = ("eye_line", "head_height", "light_balance", "backdrop_lab")
    EYE_LINE_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    LIGHT_BALANCE_FIELD_NUMBER: _ClassVar[int]
    BACKDROP_LAB_FIELD_NUMBER: _ClassVar[int]
    eye_line: float
    head_height: float
    light_balance: float
    backdrop_lab: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, eye_line: _Optional[float] = ..., head_height: _Optional[float] = ..., light_balance: _Optional[float] = ..., backdrop_lab: _Optional[_Iterable[float]] = ...) -> None: ...

class TeamDeviation(_message.Message):
    __slots__ = ("fault", "apart", "allowed")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    APART_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    fault: TeamFault
    apart: float
    allowed: float
    def __init__(self, fault: _Optional[_Union[TeamFault, str]] = ..., apart: _Optional[float] = ..., allowed: _Optional[float] = ...) -> None: ...

class TeamPortrait(_message.Message):
    __slots__ = ("image", "style", "accepted", "measures", "faults", "repaints", "deviations")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    REPAINTS_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    image: str
    style: str
    accepted: bool
    measures: TeamMeasures
    faults: _containers.RepeatedScalarFieldContainer[TeamFault]
    repaints: int
    deviations: _containers.RepeatedCompositeFieldContainer[TeamDeviation]
    def __init__(self, image: _Optional[str] = ..., style: _Optional[str] = ..., accepted: _Optional[bool] = ..., measures: _Optional[_Union[TeamMeasures, _Mapping]] = ..., faults: _Optional[_Iterable[_Union[TeamFault, str]]] = ..., repaints: _Optional[int] = ..., deviations: _Optional[_Iterable[_Union[TeamDeviation, _Mapping]]] = ...) -> None: ...

class TeamMember(_message.Message):
    __slots__ = ("subject", "state", "shoot", "failure", "status_message", "asked", "delivered", "portraits", "join_time", "quote")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SHOOT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    JOIN_TIME_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    subject: str
    state: _jobs_pb2.JobState
    shoot: str
    failure: _jobs_pb2.Failure
    status_message: str
    asked: int
    delivered: int
    portraits: _containers.RepeatedCompositeFieldContainer[TeamPortrait]
    join_time: _timestamp_pb2.Timestamp
    quote: _shoots_pb2.Quote
    def __init__(self, subject: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., shoot: _Optional[str] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., status_message: _Optional[str] = ..., asked: _Optional[int] = ..., delivered: _Optional[int] = ..., portraits: _Optional[_Iterable[_Union[TeamPortrait, _Mapping]]] = ..., join_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quote: _Optional[_Union[_shoots_pb2.Quote, _Mapping]] = ...) -> None: ...

class StyleConsistency(_message.Message):
    __slots__ = ("style", "portraits", "medians", "eye_line_spread", "head_height_spread", "light_balance_spread", "backdrop_delta_e", "outliers")
    STYLE_FIELD_NUMBER: _ClassVar[int]
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    MEDIANS_FIELD_NUMBER: _ClassVar[int]
    EYE_LINE_SPREAD_FIELD_NUMBER: _ClassVar[int]
    HEAD_HEIGHT_SPREAD_FIELD_NUMBER: _ClassVar[int]
    LIGHT_BALANCE_SPREAD_FIELD_NUMBER: _ClassVar[int]
    BACKDROP_DELTA_E_FIELD_NUMBER: _ClassVar[int]
    OUTLIERS_FIELD_NUMBER: _ClassVar[int]
    style: str
    portraits: int
    medians: TeamMeasures
    eye_line_spread: float
    head_height_spread: float
    light_balance_spread: float
    backdrop_delta_e: float
    outliers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, style: _Optional[str] = ..., portraits: _Optional[int] = ..., medians: _Optional[_Union[TeamMeasures, _Mapping]] = ..., eye_line_spread: _Optional[float] = ..., head_height_spread: _Optional[float] = ..., light_balance_spread: _Optional[float] = ..., backdrop_delta_e: _Optional[float] = ..., outliers: _Optional[_Iterable[str]] = ...) -> None: ...

class Team(_message.Message):
    __slots__ = ("name", "state", "look", "look_version", "members", "consistency", "failure", "status_message", "create_time", "end_time", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    LOOK_VERSION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: _jobs_pb2.JobState
    look: str
    look_version: int
    members: _containers.RepeatedCompositeFieldContainer[TeamMember]
    consistency: _containers.RepeatedCompositeFieldContainer[StyleConsistency]
    failure: _jobs_pb2.Failure
    status_message: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[_jobs_pb2.JobState, str]] = ..., look: _Optional[str] = ..., look_version: _Optional[int] = ..., members: _Optional[_Iterable[_Union[TeamMember, _Mapping]]] = ..., consistency: _Optional[_Iterable[_Union[StyleConsistency, _Mapping]]] = ..., failure: _Optional[_Union[_jobs_pb2.Failure, _Mapping]] = ..., status_message: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateTeamRequest(_message.Message):
    __slots__ = ("look", "members", "train", "priority", "request_id", "validate_only", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LOOK_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    look: str
    members: _containers.RepeatedScalarFieldContainer[str]
    train: bool
    priority: _jobs_pb2.Priority
    request_id: str
    validate_only: bool
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, look: _Optional[str] = ..., members: _Optional[_Iterable[str]] = ..., train: _Optional[bool] = ..., priority: _Optional[_Union[_jobs_pb2.Priority, str]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class CreateTeamResponse(_message.Message):
    __slots__ = ("team",)
    TEAM_FIELD_NUMBER: _ClassVar[int]
    team: Team
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...

class GetTeamRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetTeamResponse(_message.Message):
    __slots__ = ("team",)
    TEAM_FIELD_NUMBER: _ClassVar[int]
    team: Team
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...

class ListTeamsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "labels", "external_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    labels: _containers.ScalarMap[str, str]
    external_id: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., external_id: _Optional[str] = ...) -> None: ...

class ListTeamsResponse(_message.Message):
    __slots__ = ("teams", "next_page_token")
    TEAMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    teams: _containers.RepeatedCompositeFieldContainer[Team]
    next_page_token: str
    def __init__(self, teams: _Optional[_Iterable[_Union[Team, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchTeamRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class WatchTeamResponse(_message.Message):
    __slots__ = ("team",)
    TEAM_FIELD_NUMBER: _ClassVar[int]
    team: Team
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...

class AddTeamMembersRequest(_message.Message):
    __slots__ = ("name", "members", "train", "validate_only")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    name: str
    members: _containers.RepeatedScalarFieldContainer[str]
    train: bool
    validate_only: bool
    def __init__(self, name: _Optional[str] = ..., members: _Optional[_Iterable[str]] = ..., train: _Optional[bool] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AddTeamMembersResponse(_message.Message):
    __slots__ = ("team",)
    TEAM_FIELD_NUMBER: _ClassVar[int]
    team: Team
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...

class CancelTeamRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CancelTeamResponse(_message.Message):
    __slots__ = ("team",)
    TEAM_FIELD_NUMBER: _ClassVar[int]
    team: Team
    def __init__(self, team: _Optional[_Union[Team, _Mapping]] = ...) -> None: ...
