namespace Mesh.Engine.Tests;

/// <summary>Polls with a deadline, for tests over real sockets.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Returns the time that it took until the condition held.</summary>
    public static async Task<TimeSpan> HoldsAsync(Func<bool> condition, string what, int withinSeconds = 15)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            Assert.True(elapsed < TimeSpan.FromSeconds(withinSeconds), $"After {elapsed.TotalSeconds:0.0} s it is still not so: {what}");
            await Task.Delay(Step);
        }

        return TimeProvider.System.GetElapsedTime(started);
    }
}
