"""Why a memory is not in an answer, to the contract."""

from structmem.v1 import memory_service_pb2, retrieval_pb2

from graph.retrieval import Miss
from graph.retrieval.explaining.shortfall import ChannelShortfall, Rival
from service.convert.retrieval import hit_to_proto, plan_to_proto


def miss_to_proto(miss: Miss) -> memory_service_pb2.ExplainMissResponse:
    """What kept a memory out of an answer."""
    return memory_service_pb2.ExplainMissResponse(
        reason=retrieval_pb2.MissReason.ValueType(miss.reason),
        hit=hit_to_proto(miss.hit) if miss.hit else None,
        plan=plan_to_proto(miss.plan),
        filtered_by=miss.filtered_by,
        channels=[_channel(channel) for channel in miss.channels],
        stood_for_by=[_rival(rival) for rival in miss.stood_for_by],
        rivals=[_rival(rival) for rival in miss.rivals],
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
