namespace Mesh.Engine.Tests.KvEvents;

/// <summary>Waits for what another process or thread is about to do.</summary>
internal static class Poll
{
    /// <summary>Polls until the condition holds; fails with <paramref name="what"/> when it does not within the time.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> what, int timeoutSeconds = 30)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start).TotalSeconds > timeoutSeconds) Assert.Fail($"not within {timeoutSeconds} s: {what()}");
            await Task.Delay(5);
        }
    }
}
