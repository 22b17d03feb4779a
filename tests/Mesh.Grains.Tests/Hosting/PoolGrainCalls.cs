using Mesh.Grains.Contracts;

namespace Mesh.Grains.Tests;

/// <summary>What tests say to a pool's grain.</summary>
internal static class PoolGrainCalls
{
    /// <summary>Tells what became of requests, without asking for anything.</summary>
    public static async Task<PoolReply> TellAsync(this IPoolGrain pool, FeedbackBatch batch) => (await pool.Exchange(new Exchange { Feedback = batch })).Pool;
}
