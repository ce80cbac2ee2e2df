"""Why a memory is not in an answer, to the contract."""

from structmem.v1 import memory_service_pb2, retrieval_pb2

from graph.retrieval import Miss
from graph.retrieval.explaining.shortfall import ChannelShortfall, Rival
from service.answer_size import Room
from service.convert.retrieval import hit_to_proto, plan_to_proto


def miss_to_proto(miss: Miss, room: Room) -> memory_service_pb2.ExplainMissResponse:
    """What kept a memory out of an answer. Raises ElementTooLarge where there is no room for the memory itself."""
    plan = plan_to_proto(miss.plan)
    room.takes(plan)
    hit = room.need(hit_to_proto(miss.hit), miss.hit.node.id) if miss.hit else None
    stood_for_by, cut = room.fill(map(_rival, miss.stood_for_by))
    rivals, left_out = room.fill(map(_rival, miss.rivals))
    return memory_service_pb2.ExplainMissResponse(
        reason=retrieval_pb2.MissReason.ValueType(miss.reason),
        hit=hit,
        plan=plan,
        filtered_by=miss.filtered_by,
        channels=[_channel(channel) for channel in miss.channels],
        stood_for_by=stood_for_by,
        rivals=rivals,
        truncated=cut or left_out,
    )


def _channel(it: ChannelShortfall) -> retrieval_pb2.ChannelShortfall:
    return retrieval_pb2.ChannelShortfall(channel=it.channel, score=it.score, rank=it.rank, needed=it.needed)


def _rival(rival: Rival) -> retrieval_pb2.Rival:
    return retrieval_pb2.Rival(
        hit=hit_to_proto(rival.hit),
        differences=[
            retrieval_pb2.SignalDifference(signal=one.signal, points=one.points, rival_points=one.rival_points) for one in rival.differences
        ],
    )
