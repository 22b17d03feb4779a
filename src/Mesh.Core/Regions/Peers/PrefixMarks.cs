namespace Mesh.Core.Regions.Peers;

/// <summary>
/// Lengths, in blocks, at which prompts are counted and looked up: 1, 2, 3, 4, 6, 8, 12, 16, 24 … and the whole prompt. At most half of a beginning that is
/// shared goes unseen, mostly a sixth, and a prompt of 192 blocks costs 15 look-ups.
/// </summary>
internal static class PrefixMarks
{
    /// <summary>The largest length below one; 0 when there is none.</summary>
    public static int Below(int blocks)
    {
        if (blocks <= 3) return Math.Max(0, blocks - 1);
        // Powers of two, and one and a half times each.
        var power = 1 << (31 - int.LeadingZeroCount(blocks - 1));
        return blocks - 1 >= power + power / 2 ? power + power / 2 : power;
    }
}
