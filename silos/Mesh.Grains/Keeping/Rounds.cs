namespace Mesh.Grains.Keeping;

/// <summary>Calls many grains, a bounded number at a time; one that cannot be reached is passed over until the next round.</summary>
internal static class Rounds
{
    private const int AtATime = 64;

    /// <summary>Answers of those that could be reached, in the order of the names.</summary>
    public static async Task<List<TAnswer>> GoAsync<TAnswer>(IReadOnlyList<string> names, Func<string, ValueTask<TAnswer>> call)
    {
        var answers = new List<TAnswer>(names.Count);
        var under = new List<Task<TAnswer>>(Math.Min(AtATime, names.Count));
        for (var first = 0; first < names.Count; first += AtATime)
        {
            under.Clear();
            for (var i = first; i < Math.Min(first + AtATime, names.Count); i++) under.Add(call(names[i]).AsTask());
            foreach (var answer in under)
            {
                try
                {
                    answers.Add(await answer);
                }
                catch (Exception e) when (GrainFailure.IsExpected(e))
                {
                    // Its silo is gone or busy; the next round will find it somewhere.
                }
            }
        }
        return answers;
    }
}
